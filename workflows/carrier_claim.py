"""carrier-claim: what a carrier owes for a parcel that it lost or damaged."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, NamedTuple, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.claims import Losing, files_at, last_date, papers
    from aftersales.clocks import LAST_CLAIM, Waits
    from aftersales.events import CarrierClaimDecided, CarrierReplied, Checkpoint, Event, ParcelLost
    from aftersales.lanes import ParcelWindows
    from aftersales.opening import CaseOpened
    from aftersales.outcome import Outcome

from workflows.case import Case


class Verdict(NamedTuple):
    """What a claim brought, and when it was said; `final` where a person knows it already."""

    amount: Decimal
    at: datetime
    final: bool = False


_VERDICT = Waits(
    "carrier", "parcels.claim_answer_window", "the shop: the carrier is reminded, then an operator finds out"
)
_APPEAL = Waits("carrier", "parcels.appeal_window", "the shop: the carrier's decision stands")


@workflow.defn(name="carrier-claim")
class CarrierClaim(Case):
    """A carrier lost or damaged a parcel (`spec/processes.md` §5, `003 §10`).

    The customer has the remedy already; this is the carrier's clock. A claim waits for the end of the carrier's search,
    but not where the carrier itself says lost or damaged, and never beyond its last date less a lead. A parcel that
    turns up before ends it unfiled. An answer that does not come is asked for, then a person finds out. What the
    carrier pays is booked; where that is nothing, or less than the value, a person accepts it or appeals, once, and
    when none decides we appeal. A loss known only after the last date has expired, and a person is told.

    Case id `carrier-claim/<order>/<parcel no>`. No letters: the customer is not part of it. The terms are those of the
    parcel's lane, counted from its hand-over.
    """

    process = "carrier-claim"
    LETTERS: ClassVar[dict[str, frozenset[str]]] = {}
    HEARS = (CarrierReplied, CarrierClaimDecided, Checkpoint)
    OPTIONS = {
        "give_up": "no claim is filed, so nothing comes back from the carrier",
        "recovered": "the carrier has paid: the amount that you name, else the whole value",
        "ask_again": "remind the carrier once more, and wait for its answer again",
        "written_off": "nothing more is expected from the carrier; the case is closed",
        "accept": "take what the carrier pays and close the case",
        "appeal": "object to the carrier's decision, once, with the evidence",
    }
    WAITS = {
        "search": Waits("carrier", "parcels.trace_window", "the carrier: the loss is claimed"),
        "claim": _VERDICT,
        "appeal": _VERDICT,
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.losing, self.turned_up, self.told = Losing.of(self.lost), False, False
        self.reference, self.appealed = "", ""
        self.clock("last date for a claim", self.last_date, LAST_CLAIM)
        match await self.search():
            case CarrierClaimDecided() as early:
                self.clock("last date for a claim", None, LAST_CLAIM)
                verdict = Verdict(_paid(early), early.time)
            case "due" if await self.file():
                self.clock("last date for a claim", None, LAST_CLAIM)
                verdict = await self.verdict()
            case _:
                self.enter("found" if self.turned_up else "not_filed")
                return await self.close("expired", cause="logistics")
        if await self.appeals(verdict):
            verdict = max(verdict, await self.verdict(), key=lambda one: one.amount)
        if verdict.amount:
            self.state.book("recovered", verdict.amount)
        return await self.close("recovered" if verdict.amount else "refused", cause="logistics")

    async def search(self) -> Literal["due", "found"] | CarrierClaimDecided:
        """What comes first: the day to file, the parcel itself, or a decision that did not wait for us."""
        self.enter("search")
        if workflow.now() < (by := self.files_at) and not workflow.patched("claims-without-notice"):
            await self.command("nudge_carrier", about="claim", files_at=by, parcel=self.parcel)
        while workflow.now() < (by := self.files_at):
            match await self.next(CarrierReplied, Checkpoint, CarrierClaimDecided, by=by):
                case None:
                    return "due"
                case CarrierClaimDecided() as early:
                    return early
                case fact if self.losing.learn(fact) == "found":
                    self.turned_up = True
                    return "found"
        return "due"

    async def file(self) -> bool:
        """File the claim, again where it is refused and nobody decides; False where it comes to nothing.

        That is once the last date has passed, a person gives it up, or the parcel turns up meanwhile.
        """
        self.enter("file")
        while workflow.now() < self.last_date:
            self.reference = await self.command(
                "file_carrier_claim",
                instead="give_up",
                value=self.lost.value,
                kind=self.losing.kind,
                parcel=self.parcel,
                evidence=papers(self.lost, self.order),
            )
            if self.reference:
                return True
            while fact := self.arrived(CarrierReplied) or self.arrived(Checkpoint):
                self.turned_up |= self.losing.learn(fact) == "found"
            if self.turned_up or self.state.decisions[-1].by:
                return False
        await self.tell_late()
        return False

    async def verdict(self) -> Verdict:
        """What the carrier decides: it is reminded when it is late, then a person finds out what came of it."""
        asked_at, window = workflow.now(), self.windows.claim_answer_window
        self.enter("appeal" if self.appealed else "claim")
        decided = await self.decided(asked_at, by=self.until(window))
        while decided is None:
            await self.command("carrier_inquiry", about="claim", reference=self.reference, parcel=self.parcel)
            decided = await self.decided(asked_at, by=self.until(window)) or await self.found_out(asked_at)
        return decided

    async def decided(self, asked_at: datetime, *, by: datetime) -> Verdict | None:
        """The carrier's decision by this moment; what else is heard of the parcel is kept in mind."""
        while fact := await self.next(CarrierClaimDecided, CarrierReplied, Checkpoint, by=by):
            if isinstance(fact, CarrierClaimDecided):
                if verdict := self.counts(fact, asked_at):
                    return verdict
            else:
                await self.notice(fact)
        return None

    async def notice(self, fact: Event) -> None:
        """Tell a person, once, that a parcel which was claimed moves or is found."""
        news = self.losing.learn(fact)
        moves = news == "known" and isinstance(fact, Checkpoint) and self.losing.kind == "silent"
        self.turned_up = self.turned_up or news == "found"
        if (moves or news == "found") and not self.told:
            self.told = True
            why = "the parcel turned up after its claim was filed; withdraw the claim where the goods are fine"
            await self.tell(f"aftersales {self.key('turned_up')}", why)

    def counts(self, fact: CarrierClaimDecided, asked_at: datetime) -> Verdict | None:
        """The verdict in a decision; None where it is the old no once more, told after our appeal."""
        if self.appealed and fact.time < asked_at and not _paid(fact):
            self.note("carrier.claim_decided changes nothing: it was decided before the appeal")
            return None
        return Verdict(_paid(fact), fact.time)

    async def found_out(self, asked_at: datetime) -> Verdict | None:
        """What a person found out about a claim that the carrier does not answer; None to go on asking."""
        question = (
            f"The carrier has not decided the claim {self.reference} for parcel {self.ref.part} over {self.lost.value} "
            f"{self.order.currency}, though reminded. Was it paid (name the amount), ask again, or write it off?"
        )
        options = ("recovered", "ask_again", "written_off")
        choice = await self.decision(question, *options, fallback="written_off", most=self.lost.value)
        while late := self.arrived(CarrierClaimDecided):
            if verdict := self.counts(late, asked_at):
                return verdict
        if choice == "ask_again":
            return None
        named = self.state.decisions[-1].amount
        amount = Decimal(0) if choice == "written_off" else self.lost.value if named is None else named
        return Verdict(amount, workflow.now(), final=True)

    async def appeals(self, verdict: Verdict) -> bool:
        """Whether we appeal against a no or too little: a person says so, and nobody's silence gives money away."""
        if verdict.final or verdict.amount >= self.lost.value or self.turned_up:
            return False
        last = verdict.at + self.windows.appeal_window
        if workflow.now() >= last:
            await self.tell(
                f"aftersales {self.key('appeal')}", f"too late to appeal against {verdict.amount} of a claim"
            )
            return False
        question = (
            f"The carrier pays {verdict.amount} of {self.lost.value} {self.order.currency} for parcel {self.ref.part}. "
            "Accept it, or appeal?"
        )
        self.clock("last date for an appeal", last, _APPEAL)
        by = min(self.until(self.policy.operators.operator_window), last - self.windows.claim_lead)
        if await self.decision(question, "accept", "appeal", fallback="appeal", by=by) == "accept":
            return False
        self.appealed = await self.command(
            "appeal",
            instead="accept",
            reference=self.reference,
            value=self.lost.value,
            parcel=self.parcel,
            evidence=papers(self.lost, self.order),
        )
        self.clock("last date for an appeal", None, _APPEAL)
        return bool(self.appealed)

    async def tell_late(self) -> None:
        """Tell a person that there is nothing to be had from the carrier any more."""
        why = f"the carrier's last date for a claim, {self.last_date:%Y-%m-%d %H:%M} UTC, has passed without one"
        await self.tell(f"aftersales {self.key('expired')}", why)

    @property
    def lost(self) -> ParcelLost:
        """The loss, as the process knew it that saw it."""
        return cast(ParcelLost, self.opened.trigger)

    @property
    def windows(self) -> ParcelWindows:
        """The carrier's terms on the parcel's lane."""
        parcel = self.lost.parcel
        return self.policy.parcels.for_lane(parcel.carrier, parcel.origin, parcel.destination)

    @property
    def last_date(self) -> datetime:
        """When the carrier takes no claim any more."""
        return last_date(self.lost, self.windows)

    @property
    def files_at(self) -> datetime:
        """When the claim is due."""
        return files_at(self.lost, self.losing, self.windows, self.policy.operators.hours)

    @property
    def parcel(self) -> JsonValue:
        """The parcel for its carrier."""
        return self.lost.parcel.model_dump(mode="json", include={"parcel_no", "carrier", "tracking_number"})


def _paid(decided: CarrierClaimDecided) -> Decimal:
    return decided.amount if decided.granted else Decimal(0)
