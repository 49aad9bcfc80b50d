"""NATS JetStream: the stream and the consumer, which are made where they are missing.

What is there already is never changed. A stream of the shop's own is used as it is, if it takes our subject.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from nats.js import JetStreamContext, api
from nats.js.errors import BadRequestError, NotFoundError

from adapters.nats_settings import NatsSettings, covers
from adapters.queues import QueueUnusable

_EXISTS_OTHERWISE = 10058
"""JetStream's code for a stream that another process has just made with another configuration."""

Say = Callable[..., object]

_log = structlog.get_logger(__name__)


async def prepare(jetstream: JetStreamContext, settings: NatsSettings, *, again: bool = False) -> api.ConsumerConfig:
    """Make stream, consumer and a place for dead letters where they are missing; the consumer as it is.

    What differs from what would be made is said in the log, unless it was `again` that it was looked at.

    Raises:
        QueueUnusable: what is there under these names cannot be used.
    """
    say = _log.debug if again else _log.info
    stream = await _stream(jetstream, settings, say)
    if not any(covers(taken, settings.subject) for taken in stream.subjects or ()):
        raise QueueUnusable(
            f"nats: the stream {settings.stream} takes {', '.join(stream.subjects or ['nothing'])} and not "
            f"{settings.subject}; add the subject to it, or name another stream"
        )
    await _dead_letters(jetstream, settings, stream)
    return await _consumer(jetstream, settings, say)


def _made(name: str, *subjects: str, settings: NatsSettings) -> api.StreamConfig:
    return api.StreamConfig(name=name, subjects=list(subjects), num_replicas=settings.replicas)


async def _stream(jetstream: JetStreamContext, settings: NatsSettings, say: Say) -> api.StreamConfig:
    # A message leaves the stream once its end is told, so that the store does not grow.
    made = _made(settings.stream, settings.subject, settings.dead, settings=settings)
    made = made.evolve(retention=api.RetentionPolicy.WORK_QUEUE)
    try:
        found = (await jetstream.stream_info(settings.stream)).config
    except NotFoundError:
        try:
            return (await jetstream.add_stream(made)).config
        except BadRequestError as error:
            if error.err_code != _EXISTS_OTHERWISE:
                raise QueueUnusable(f"nats: cannot make the stream {settings.stream}: {error.description}") from None
            found = (await jetstream.stream_info(settings.stream)).config
    if (found.retention, set(found.subjects or ())) != (made.retention, set(made.subjects or ())):
        say("nats.stream_used_as_it_is", stream=found.name, subjects=found.subjects, retention=str(found.retention))
    return found


async def _dead_letters(jetstream: JetStreamContext, settings: NatsSettings, stream: api.StreamConfig) -> None:
    if any(covers(taken, settings.dead) for taken in stream.subjects or ()):
        return
    try:
        await jetstream.find_stream_name_by_subject(settings.dead)
    except NotFoundError:
        try:
            await jetstream.add_stream(_made(f"{settings.stream}_DEAD", settings.dead, settings=settings))
        except BadRequestError as error:
            raise QueueUnusable(
                f"nats: no stream takes dead letters on {settings.dead}, and {settings.stream}_DEAD cannot be made "
                f"({error.description}); make a stream for that subject"
            ) from None


async def _consumer(jetstream: JetStreamContext, settings: NatsSettings, say: Say) -> api.ConsumerConfig:
    wanted = api.ConsumerConfig(
        durable_name=settings.durable,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=settings.ack_wait,
        max_deliver=-1,
        max_ack_pending=settings.max_ack_pending,
        filter_subject=settings.subject,
    )
    try:
        found: api.ConsumerConfig = (await jetstream.consumer_info(settings.stream, settings.durable)).config
    except NotFoundError:
        try:
            return (await jetstream.add_consumer(settings.stream, wanted)).config
        except BadRequestError as error:
            raise QueueUnusable(
                f"nats: cannot make the consumer {settings.durable} of {settings.stream}: {error.description}; "
                "a work queue takes one consumer for a subject: name that one as durable"
            ) from None
    name = f"nats: the consumer {settings.durable} of {settings.stream}"
    remedy = "delete it, or name another as durable"
    subjects = found.filter_subjects or [found.filter_subject or ">"]
    if found.deliver_subject or found.ack_policy != api.AckPolicy.EXPLICIT:
        raise QueueUnusable(f"{name} is no pull consumer with explicit acknowledgement; {remedy}")
    if not any(covers(taken, settings.subject) for taken in subjects):
        raise QueueUnusable(f"{name} is for {', '.join(subjects)} and not {settings.subject}; {remedy}")
    if any(covers(taken, settings.dead) for taken in subjects):
        raise QueueUnusable(f"{name} takes dead letters as well ({settings.dead}): they would come back; {remedy}")
    if (found.max_deliver or -1) > 0:
        raise QueueUnusable(
            f"{name} drops a message after {found.max_deliver} deliveries, without a word; set max_deliver to -1"
        )
    if (found.ack_wait, found.max_ack_pending) != (wanted.ack_wait, wanted.max_ack_pending):
        say(
            "nats.consumer_used_as_it_is",
            consumer=settings.durable,
            ack_wait=found.ack_wait,
            max_ack_pending=found.max_ack_pending,
        )
    return found
