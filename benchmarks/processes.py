"""What the commonest path of each process costs, beside the least that its rule needs.

The need is written here, step by step as the rule has it, and not read from the history: what a case does beyond it
shows. A step is `letter:`, `command:`, `fact:` (awaited, and it came), `silence` (awaited, and the window passed),
`read` (words that must be understood), or `open:` (another case). An outcome is always needed.

The least events follow from how Temporal writes a history. Each thing that wakes a case leads to a workflow task of
three: scheduled, started, completed. A start is one and a task; an activity three and a task; a reply read in a local
activity one. What is awaited is a timer and a signal, or a timer that is started and fires, and a task; stage and
deadline are shown meanwhile, as operators need them. Another case is asked for, has started, and that is a task. At the
end the result is shown and the case completed. Not in the least is the cancelling of timers. What only virtual time
writes is not counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rich.table import Table
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from adapters.settings import ROOT, Settings
from aftersales.events import Envelope
from aftersales.scenario import load_scenario
from cli.rehearsal import Theatre

LIMIT = 1.3
"""How much more than the least a path may cost."""
_TASK = 3
_EVENTS = {
    "start": 1 + _TASK,
    "letter": 3 + _TASK,
    "command": 3 + _TASK,
    "outcome": 3 + _TASK,
    "read": 1,
    "fact": 3 + _TASK,
    "silence": 3 + _TASK,
    "open": 2 + _TASK,
    "end": 2,
}
_ACTIVITIES = ("letter", "command", "read", "outcome", "hand_back")
_OF_VIRTUAL_TIME = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
)


class Path(NamedTuple):
    """The path that most cases of a process take: the scenario that tells it, and the steps that its rule needs."""

    story: str
    steps: str


PATHS = {
    # The form asks for the reason, so it mostly comes along.
    "return-request": Path("row-4-eligible-at-once", "open:return-escalation"),
    "return-escalation": Path("step-1-accepts", "letter:return-terms fact:customer.replied read open:return-parcel"),
    "return-parcel": Path(
        "received-as-described-minus-fee",
        "command:create_rma letter:return-instructions fact:warehouse.return_received letter:return-received "
        "command:refund letter:refund-sent",
    ),
    # The silence is that of a customer who has the parcel.
    "shipment-watch": Path("delivered", 4 * "fact:shipment.checkpoint " + "silence"),
    # Most losses are scans that stop; the silence is the carrier's search, which has to end first.
    "carrier-claim": Path(
        "silent-trace-ends-then-claimed-and-paid",
        "silence command:file_carrier_claim fact:carrier.claim_decided",
    ),
    # The warehouse is told that somebody waits: that marks the order.
    "expedite": Path(
        "in-time-calm-then-dispatched",
        "command:ask_warehouse letter:dispatch-calm fact:order.shipped letter:dispatch-done",
    ),
    # All carriers blocked at once is rare; of what is offered, another carrier comes first.
    "late-dispatch": Path(
        "some-blocked-other-carrier",
        "letter:other-carrier-offer command:restrict_region fact:customer.replied read command:amend_order "
        "letter:other-carrier-agreed",
    ),
    "order-change": Path(
        "not-dispatched-address-customer-confirms",
        "command:amend_order fact:warehouse.answered letter:change-confirm fact:customer.replied read "
        "letter:change-done",
    ),
    "fulfilment-check": Path("fine-released-and-shipped", "command:release_order fact:order.shipped"),
    # The form asks for photos and for what it says on the item, so they come along.
    "wrong-item": Path(
        "step-3-accepts",
        "letter:keep-offer fact:customer.replied read command:pay_compensation letter:wrong-item-compensated",
    ),
    "exchange": Path(
        "eligible-same-product",
        "command:create_rma letter:exchange-instructions fact:warehouse.return_received command:reship "
        "letter:exchange-sent",
    ),
    # Each of the centre's steps is shown to the customer once, and that the item is there already on its receipt.
    "repair": Path(
        "in-warranty-repaired",
        "command:create_rma command:issue_return_label letter:repair-instructions fact:warehouse.return_received "
        "command:repair letter:repair-progress fact:repair.progressed "
        + 4 * "fact:repair.progressed letter:repair-progress "
        + "fact:repair.progressed letter:repair-done",
    ),
    # The form of the platform says what is claimed; what is known is collected for the supervisor, and once more before
    # anything is paid.
    "dispute": Path(
        "settled-full",
        "command:build_evidence decision letter:dispute-solution fact:customer.replied read "
        "letter:dispute-withdraw-request fact:dispute.withdrawn command:build_evidence command:refund "
        "letter:dispute-refunded",
    ),
    "compensation": Path(
        "accepts",
        "letter:compensation-offer fact:customer.replied read command:pay_compensation letter:compensation-paid",
    ),
    # The form asks for place and packaging, so they come along.
    "large-order": Path(
        "confirms", "letter:bulk-offer fact:customer.replied read command:apply_discount letter:bulk-confirmed"
    ),
    # Most orders of those who threaten are above the limit of a refund at once.
    "review-recovery": Path(
        "offer-accepted",
        "letter:recovery-offer fact:customer.replied read command:pay_compensation letter:recovery-paid",
    ),
    # Most messages want something that has a process; that one writes the first letter.
    "inquiry": Path("return", "read open:return-request"),
    # What finance says is a fact of its own, which no signal brings: its command runs beside the case's clock.
    "invoice": Path("queued-and-issued", "letter:invoice-queued command:issue_invoice letter:invoice-sent"),
    "perk-request": Path("allowed-free-shipping", "command:given_before command:waive_freight letter:perk-granted"),
}


@dataclass(frozen=True)
class Cost:
    """What a case came to, step by step and in all, beside what its rule needs."""

    path: Path
    came: Counter[str]
    activities: int
    events: int

    @classmethod
    def of(cls, history: WorkflowHistory, path: Path) -> Cost:
        """Counted in the history of a case that has ended."""
        events = [event for event in history.events if event.event_type not in _OF_VIRTUAL_TIME]
        came = Counter(step for event in events for step in _steps(event))
        return cls(path, came, sum(_of(came, kind) for kind in _ACTIVITIES), len(events))

    @property
    def needed(self) -> Counter[str]:
        """The steps of the rule, with those that every case has."""
        return Counter(["start", *self.path.steps.split(), "outcome", "end"])

    @property
    def beyond(self) -> list[str]:
        """The steps that the rule does not need."""
        return sorted((self.came - self.needed).elements())

    @property
    def left_out(self) -> list[str]:
        """The steps that the rule needs and the case did not take: then the ratios say nothing."""
        return sorted((self.needed - self.came).elements())

    @property
    def least_activities(self) -> int:
        """The activities that the rule needs."""
        return sum(_of(self.needed, kind) for kind in _ACTIVITIES)

    @property
    def least_events(self) -> int:
        """The length of history that the rule needs."""
        return sum(number * _of(self.needed, kind) for kind, number in _EVENTS.items())

    @property
    def activity_ratio(self) -> float:
        """Activities to the least."""
        return self.activities / self.least_activities

    @property
    def event_ratio(self) -> float:
        """History events to the least."""
        return self.events / self.least_events

    @property
    def too_much(self) -> bool:
        """Whether the limit is exceeded, or the path was not the one that is told here."""
        return max(self.activity_ratio, self.event_ratio) > LIMIT or bool(self.left_out)

    def figures(self) -> dict[str, float | str | list[str]]:
        """For programs."""
        return {
            "story": self.path.story,
            "activities": self.activities,
            "least_activities": self.least_activities,
            "events": self.events,
            "least_events": self.least_events,
            "beyond": self.beyond,
            "left_out": self.left_out,
        }


async def cost_of(theatre: Theatre, process: str) -> Cost:
    """Play the commonest path of a process and count its case."""
    path, histories = PATHS[process], list[WorkflowHistory]()
    await theatre.play(load_scenario(ROOT / "scenarios" / process / f"{path.story}.yaml"), histories=histories)
    (own,) = (history for history in histories if history.workflow_id.partition("/")[0] == process)
    return Cost.of(own, path)


async def costs() -> dict[str, Cost]:
    """The cost of every process. Raises `ServerError`."""
    async with Theatre.open(Settings()) as theatre, asyncio.TaskGroup() as group:
        tasks = {process: group.create_task(cost_of(theatre, process)) for process in PATHS}
    return {process: task.result() for process, task in tasks.items()}


def table(costs: dict[str, Cost]) -> Table:
    """A row for each process."""
    shown = Table(title=f"The commonest path of each process ÷ the least; to reach: ≤ {LIMIT}")
    for heading in ("process", "letters,\ncommands,\nfacts", "activities", "history events", ""):
        shown.add_column(heading, no_wrap=True)
    for process, cost in costs.items():
        facts = _of(cost.needed, "fact") + _of(cost.needed, "silence")
        shown.add_row(
            process,
            f"{_of(cost.needed, 'letter')}, {_of(cost.needed, 'command')}, {facts}",
            f"{cost.activities} ÷ {cost.least_activities} = {cost.activity_ratio:.2f}",
            f"{cost.events} ÷ {cost.least_events} = {cost.event_ratio:.2f}",
            "✗" if cost.too_much else "",
        )
    return shown


def findings(costs: dict[str, Cost]) -> Iterator[str]:
    """What cases did beyond their rules or left out of them, a line each."""
    for process, cost in costs.items():
        story = f"scenarios/{process}/{cost.path.story}.yaml"
        yield from (f"{process}: {step} is not needed by its rule, in {story}" for step in cost.beyond)
        yield from (f"{process}: {step} is in its path and not in {story}" for step in cost.left_out)


def _of(steps: Counter[str], kind: str) -> int:
    return sum(number for step, number in steps.items() if step.partition(":")[0] == kind)


def _steps(event: HistoryEvent) -> Iterator[str]:
    """What one event says of the path."""
    match event.WhichOneof("attributes"):
        case "workflow_execution_started_event_attributes":
            yield "start"
        case "activity_task_scheduled_event_attributes":
            yield _activity(event.activity_task_scheduled_event_attributes.activity_id)
        case "marker_recorded_event_attributes":
            if event.marker_recorded_event_attributes.marker_name == "core_local_activity":
                yield "read"
        case "workflow_execution_signaled_event_attributes":
            payload = event.workflow_execution_signaled_event_attributes.input.payloads[0]
            yield f"fact:{Envelope.model_validate_json(payload.data).root.type}"
        case "timer_fired_event_attributes":
            yield "silence"
        case "workflow_execution_update_accepted_event_attributes":
            yield "decision"
        case "start_child_workflow_execution_initiated_event_attributes":
            yield f"open:{event.start_child_workflow_execution_initiated_event_attributes.workflow_type.name}"
        case "workflow_execution_completed_event_attributes":
            yield "end"
        case _:
            pass


def _activity(activity_id: str) -> str:
    """The step of an activity, from its id: `letter:return-terms:2`, `refund:1`, `outcome:1`, `hand_back:1`."""
    name, _, rest = activity_id.partition(":")
    match name:
        case "letter":
            return f"letter:{rest.partition(':')[0]}"
        case "outcome" | "hand_back":
            return name
        case _:
            return f"command:{name}"
