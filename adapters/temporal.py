"""The Temporal client, and the plugin that gives client, worker and replayer the same converter and runner."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client, Interceptor
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.plugin import SimplePlugin
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RetryConfig, RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from typing_extensions import override

from adapters import histories
from adapters.outage import Outage
from aftersales.events import Event, enveloped
from aftersales.opening import CaseOpened
from aftersales.ports import Cases, Intake, Unavailable
from aftersales.records import EventRecord

_SYSTEM_MESSAGE = re.compile(r'message: "([^"]+)"')


class NotReachable(Exception):
    """No Temporal server answers; the text says where and what to do."""


def plugin(runner: WorkflowRunner | None = None) -> SimplePlugin:
    """What client, worker and replayer share. Rehearsals and replays give the `runner` of `adapters.sandbox`."""
    return SimplePlugin(
        "aftersales",
        data_converter=pydantic_data_converter,
        workflow_runner=lambda _: runner or UnsandboxedWorkflowRunner(),
    )


async def connect(
    address: str | None = None,
    interceptors: Sequence[Interceptor] = (),
    *,
    patience: timedelta = timedelta(seconds=10),
    lazy: bool = False,
) -> Client:
    """A client by Temporal's environment configuration (TEMPORAL_ADDRESS, _NAMESPACE, _API_KEY, _TLS…, profiles).

    An `address` given wins over it. A call to a server that is away is tried again for as long as `patience`. A `lazy`
    client connects with its first call.

    Raises:
        NotReachable: the server does not answer.
    """
    config = ClientConfig.load_client_connect_config()
    if address:
        config["target_host"] = address
    target = config.setdefault("target_host", "localhost:7233")
    try:
        return await Client.connect(
            **config,
            plugins=[plugin()],
            interceptors=interceptors,
            lazy=lazy,
            retry_config=RetryConfig(max_elapsed_time_millis=round(patience.total_seconds() * 1000)),
        )
    except RuntimeError as error:
        raise NotReachable(_nobody_answers(target, error)) from error


def _nobody_answers(target: str, error: RuntimeError) -> str:
    # The client's words are nested debug output; the system's own are in their middle.
    reason = _SYSTEM_MESSAGE.search(str(error))
    return (
        f"no Temporal server answers at {target}: {reason[1] if reason else error}; "
        "start one with ./dev up, or set TEMPORAL_ADDRESS"
    )


async def reach(client: Client, patience: timedelta = timedelta(seconds=2)) -> None:
    """Ask the server whether it is well; a lazy client connects by it.

    Raises:
        Unavailable: it does not answer. A lazy client that never connected says so by a RuntimeError, in every call.
    """
    try:
        await client.service_client.check_health(timeout=patience)
    except RPCError as error:
        raise Unavailable(rpc_problem(error)) from error
    except RuntimeError as error:
        raise Unavailable(_nobody_answers(client.service_client.config.target_host, error)) from error


class Reached(Intake):
    """An intake behind a lazy client: until that has connected once, nothing is taken."""

    def __init__(self, client: Client, intake: Intake) -> None:
        self._client, self._intake, self._connected = client, intake, False

    @override
    async def handle_all(self, raws: Sequence[object], *, shop: str = "") -> list[EventRecord]:
        """See `Intake`."""
        if not self._connected:
            await reach(self._client)
            self._connected = True
        return await self._intake.handle_all(raws, shop=shop)


def quiet_core() -> None:
    """Send the errors of the SDK's core where all logs go: it writes to standard output, into what `--json` prints.

    Its warnings are one for each call that is tried again; `watch` says in one line that the server is away.
    """
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"))
    errors = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"), forwarding)
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=errors)), error_if_already_set=False)


async def watch(client: Client, *, every: float = 1.0) -> None:
    """Say in the log when the server goes away and when it is back, for ever; whoever uses it tries again anyway."""
    outage = Outage("temporal")
    while True:
        try:
            await reach(client)
        except Unavailable as away:
            outage.goes_on(str(away))
        else:
            outage.is_over()
        await asyncio.sleep(every)


class RunningCases(Cases):
    """The cases that run on a Temporal server."""

    def __init__(
        self, client: Client, task_queue: str, options: Callable[[str, CaseOpened], Mapping[str, Any]]
    ) -> None:
        """`options` are those of a start of a process: id, title, search attributes."""
        self._client, self._task_queue, self._options = client, task_queue, options

    @override
    async def open(self, process: str, opened: CaseOpened, *, again: bool) -> bool:
        options = self._options(process, opened)
        begins = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=opened.as_json().encode()))
        while True:
            try:
                await self._client.start_workflow(process, begins, task_queue=self._task_queue, **options)
                return True
            except WorkflowAlreadyStartedError as running:
                case = options["id"]
                if again and await histories.opened_by(self._client, case, running.run_id) == opened.identity:
                    return True
                if await self.tell(case, opened.opener):
                    return False
                # It has closed since.

    @override
    async def tell(self, case_id: str, event: Event) -> bool:
        try:
            await self._client.get_workflow_handle(case_id).signal("event", enveloped(event))
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    @override
    async def took(self, case_id: str, identity: str) -> bool:
        try:
            return await histories.took(self._client, case_id, identity)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:  # kept no longer
                return False
            raise


def rpc_problem(error: RPCError) -> str:
    """What a failed call to the Temporal server means for people."""
    match error.status:
        case RPCStatusCode.UNAVAILABLE | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
            return f"the Temporal server does not answer any more: {error.message}; is it running?"
        case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
            return f"the Temporal server refuses access: {error.message}; check TEMPORAL_API_KEY and the namespace"
        case _:
            return f"the Temporal server says: {error.message}"


async def missing_attributes(client: Client, wanted: Mapping[str, IndexedValueType.ValueType]) -> dict[str, str]:
    """The search attributes that the namespace lacks, with their types as `temporal operator` spells them.

    Raises:
        NotReachable: the server does not tell.
    """
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), retry=True
        )
    except RPCError as error:
        raise NotReachable(f"the Temporal server does not list its search attributes: {error}") from error
    return {name: type_name(kind) for name, kind in wanted.items() if name not in known.custom_attributes}


def type_name(kind: IndexedValueType.ValueType) -> str:
    """The type as the server's command line spells it: `Keyword`, `Datetime`, `Bool`."""
    return IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")
