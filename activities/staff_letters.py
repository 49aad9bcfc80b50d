"""Mail to staff about limits that are crossed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from aftersales.figures import Warned
from aftersales.ids import case_id
from aftersales.letters import Books, Rendered
from aftersales.limits import Crossing
from aftersales.message_ids import message_id
from aftersales.model import Model, Time
from aftersales.order import Customer
from aftersales.policies import Policies
from aftersales.policy import Policy
from aftersales.ports import Channel, WarningLedger
from aftersales.report_runs import Told
from aftersales.sending import NotSent, Outgoing, PerhapsSent, Undeliverable

PROCESS = "kpi-report"
LETTERS = {
    "return-rate-warning": frozenset(
        {"kind", "category", "rate", "limit", "count", "of", "loss", "cost", "window", "reports"}
    ),
    "variant-stopped": frozenset({"letter", "variant", "rate", "limit", "count", "of", "reports", "command"}),
}
"""The letters to staff with their variables; they are about no order."""
PATIENCE = timedelta(hours=6)
"""How long mail to staff is tried that is not taken; then it is left to the next run, or to those who have theirs."""


class TellRequest(Model):
    """The nominal time of the run that tells staff."""

    at: Time


class StaffLetters:
    """Tells staff of the limits that are crossed."""

    def __init__(
        self,
        books: Books,
        channel: Channel,
        ledger: WarningLedger,
        policies: Policies,
        *,
        domain: str,
        shelf: Callable[[str], str],
    ) -> None:
        """`domain` stands behind the @ of every Message-ID; `shelf` says where a shop's reports are."""
        self._books, self._channel, self._ledger, self._policies = books, channel, ledger, policies
        self._domain, self._shelf = domain, shelf

    @activity.defn(name="tell_staff")
    async def tell(self, request: TellRequest) -> Told:
        """Send each of staff one mail about each crossing of which nobody has been told.

        A crossing for which there is no staff stays untold, until there is. A try remembers in its heartbeat whom the
        tries before it have reached.

        Raises:
            ApplicationError: some mail is to be tried again.
        """
        info = activity.info()
        reached: list[str] = list(info.heartbeat_details[0]) if info.heartbeat_details else []
        waiting, problems = list[NotSent](), list[str]()
        for crossing in await self._ledger.untold():
            keys = []
            for member in self._policies.of(crossing.seen.shop).report.staff:
                key = _key(crossing, member)
                keys.append(key)
                if key in reached:
                    continue
                try:
                    await self._channel.deliver(self._outgoing(crossing, member, key, request), _once_more)
                except NotSent as later:
                    waiting.append(later)
                except (Undeliverable, PerhapsSent, ValueError) as refusal:
                    problems.append(f"{member.name}: {refusal}")
                    if isinstance(refusal, PerhapsSent):
                        reached.append(key)
                else:
                    reached.append(key)
                activity.heartbeat(reached)
            patient = info.started_time - info.scheduled_time <= PATIENCE
            if set(keys) & set(reached) and not (waiting and patient):
                await self._ledger.told(crossing, request.at)
        if waiting and patient:
            raise ApplicationError(
                str(waiting[0]),
                type="StaffNotTold",
                next_retry_delay=_longest_pause(waiting),
                category=ApplicationErrorCategory.BENIGN,
            )
        problems += [str(later) for later in waiting]
        for problem in problems:
            activity.logger.error("staff has not been told", extra={"problem": problem})
        return Told(sent=len(reached), problems=tuple(dict.fromkeys(problems)))

    def _outgoing(self, crossing: Crossing, member: Customer, key: str, request: TellRequest) -> Outgoing:
        seen = crossing.seen
        policy = self._policies.of(seen.shop)
        letter = "variant-stopped" if seen.kind == "claims" else "return-rate-warning"
        case = case_id(PROCESS, f"{seen.since:%Y-%m-%d}")
        return Outgoing(
            key=key,
            case_id=case,
            message_id=message_id(case, key, self._domain),
            to=member,
            shop=seen.shop,
            name=letter,
            rendered=self._written(letter, seen, member, policy),
            at=request.at,
        )

    def _written(self, letter: str, seen: Warned, member: Customer, policy: Policy) -> Rendered:
        values: dict[str, object] = {
            "customer_name": member.name,
            "shop": seen.shop,
            "rate": _rounded(seen.rate),
            "limit": _rounded(seen.limit),
            "count": seen.count,
            "of": seen.of,
            "reports": self._shelf(seen.shop),
        }
        if seen.kind == "claims":
            name, _, variant = seen.subject.rpartition(".")
            command = f"./dev report --start-again {seen.subject}" + (f" --shop {seen.shop}" if seen.shop else "")
            values |= {"letter": name, "variant": variant, "command": command}
        else:
            days = round(policy.report.limit_window / timedelta(days=1))
            values |= {"kind": seen.kind, "category": seen.subject, "window": f"{max(days, 1)}d"}
            values |= {"loss": seen.loss, "cost": seen.cost}
        return self._books.of(seen.shop).render(
            letter,
            process=PROCESS,
            language=member.language,
            fallback=policy.letters.languages,
            locale=member.language,
            currency=policy.report.currency,
            values=values,
        )


def _key(crossing: Crossing, member: Customer) -> str:
    # Without the address: what Temporal keeps is read by others.
    return f"{PROCESS}#{crossing.key}#{sha256(member.email.encode()).hexdigest()[:16]}"


async def _once_more() -> None:
    """Nothing is to be written down before a mail leaves: staff may get one twice, rather than none."""


def _rounded(value: float) -> Decimal:
    """A share with four places at most, which are two of a percentage."""
    return Decimal(str(round(value, 4)))


def _longest_pause(waiting: list[NotSent]) -> timedelta | None:
    pauses = [later.retry_after for later in waiting if later.retry_after is not None]
    return timedelta(seconds=max(pauses)) if pauses else None
