"""The board of a case: what operators see of it from outside, and the question that is open for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from aftersales import people
    from aftersales.clocks import Clock, Waits, waiting
    from aftersales.options import option_meant
    from aftersales.order import Order
    from aftersales.outcome import DecisionTaken
    from aftersales.policy import Operators
    from aftersales.state import CaseState

from workflows import attributes
from workflows.details import SIGNED, Question, current_details
from workflows.requests import Decide, Extend

BY_HAND = "done_by_hand"
"""The option of a command that its counterpart refused and a person has had done."""


class Board:
    """Stage and deadline as search attributes, the story and the open question as Current Details."""

    def __init__(self, state: CaseState, operators: Operators, order: Order, waits: Mapping[str, Waits]) -> None:
        """`operators` is the case's policy of who may decide about the order's money.

        `waits` is what the stages of its process wait with.
        """
        self._state, self._operators, self._order, self._waits = state, operators, order, waits
        # What a case of an earlier build writes down must not change: its policy names no people, not even none.
        self._is_new = "people" in operators.model_fields_set
        self._shown: tuple[str, datetime | None, bool] = ("opened", None, False)
        self._due: tuple[datetime, str] | None = None
        self.deadline: datetime | None = None
        self.question: Question | None = None

    def show(self, deadline: datetime | None, result: str = "") -> None:
        """Show the stage with this deadline: one search-attribute upsert where something changed."""
        self.deadline = deadline
        state, shown = self._state, (self._state.stage, deadline, self._state.angry)
        due = self._nearest()
        if shown != self._shown or due != self._due:
            updates: list[SearchAttributeUpdate[Any]] = [attributes.STAGE.value_set(state.stage)]
            if deadline != self._shown[1]:
                key = attributes.DEADLINE
                updates.append(key.value_set(deadline) if deadline else key.value_unset())
            if state.angry:
                updates.append(attributes.ANGRY.value_set(True))
            if result:
                updates.append(attributes.RESULT.value_set(result))
            if due != self._due:
                updates.append(attributes.DUE.value_set(due[0]) if due else attributes.DUE.value_unset())
                updates.append(attributes.DUE_FOR.value_set(due[1]) if due else attributes.DUE_FOR.value_unset())
            workflow.upsert_search_attributes(updates)
            self._shown, self._due = shown, due
        self.tell()

    def tell(self) -> None:
        """Show the story and the open question, with what came since it was asked."""
        workflow.set_current_details(current_details(self._state, self.deadline, self.asked, self.clocks))

    @property
    def asked(self) -> Question | None:
        """The open question, with what is in the inbox while it waits."""
        return self.question and self.question.model_copy(update={"meanwhile": self._state.unread})

    @property
    def clocks(self) -> list[Clock]:
        """All clocks that run, the nearest first; none in a case that has closed."""
        if not self.deadline:
            return []
        waited_for = waiting(self._state.stage, self.deadline, self._waits)
        if self.question:
            waited_for = waited_for.model_copy(update={"source": self.question.source})
        return sorted([*self._state.clocks.values(), waited_for], key=lambda clock: clock.at)

    def _nearest(self) -> tuple[datetime, str] | None:
        if not (self._is_new and self.clocks):
            return None
        first = self.clocks[0]
        return first.at, first.whose

    def check_decision(self, decision: Decide) -> None:
        """Raise where a decision is not possible now, saying what is."""
        question = self.question
        if question is None or question.answer is not None:
            raise _refused("no decision is open in this case now; its Current Details say what it waits for")
        if unknown := sorted(decision.model_extra or {}):
            raise _refused(f"{unknown[0]}: is not known here; write option, by, reason and, where asked for, amount")
        option = option_meant(decision.option, question.options)
        if option is None:
            raise _refused(f"option: {decision.option!r} is not open; choose one of {', '.join(question.options)}")
        if decision.reference and option != BY_HAND:
            raise _refused(f"reference: goes with {BY_HAND} only, which is not what you chose")
        try:
            money = decision.money
        except ValueError:
            raise _refused(f'amount: write it as "12.90", not {decision.amount!r}') from None
        if money is not None and question.takes and option not in question.takes:
            raise _refused(f"amount: does not go with {option}; name it with {' or '.join(question.takes)}")
        if money is not None and (question.most is None or money > question.most):
            raise _refused(f"amount: {money} is not possible; the most is {question.most or 'none'}")
        _check_signed(decision.by, decision.reason)
        self._check_may(decision, question, money)

    def _check_may(self, decision: Decide, question: Question, named: Decimal | None) -> None:
        option = option_meant(decision.option, question.options) or ""
        who = people.refusal(
            decision.by,
            people.known(self._operators.people, self._order.shop),
            role=question.role,
            money=question.cost(option, named),
            currency=self._order.currency,
            limit=self._operators.limit_in(self._order.currency),
            besides=question.besides,
        )
        if who:
            raise _refused(who)
        first = question.first
        if first and (first.option, first.amount) == (option, named) and _same(first.by, decision.by):
            raise _refused(f"by: {first.by} decided so already; somebody else must decide the same")

    def check_extension(self, extension: Extend) -> None:
        """Raise where the deadline cannot be moved so, saying how it can."""
        if self.deadline is None:
            raise _refused("this case waits for no deadline now")
        if extension.until is None or extension.until.tzinfo is None:
            raise _refused('until: write a moment with its offset, such as "2026-12-01T12:00:00Z"')
        if extension.until <= workflow.now():
            raise _refused(f"until: {extension.until.isoformat()} is in the past")
        _check_signed(extension.by, extension.reason)
        everybody = people.known(self._operators.people, self._order.shop)
        if everybody and people.found(extension.by, everybody) is None:
            raise _refused(f"by: {extension.by.strip()} is not among the people of the policy: {', '.join(everybody)}")

    def ask(self, question: Question) -> Question:
        """Open a question for operators."""
        self.question = question
        return question

    def answer(self, decision: Decide) -> str:
        """Take a decision on the open question; returns what became of it. Much money takes two people."""
        question = self.question
        assert question, "the validator lets no decision in without a question"
        taken = DecisionTaken(
            question=question.text,
            option=option_meant(decision.option, question.options) or decision.option,
            by=decision.by.strip(),
            reason=decision.reason.strip(),
            amount=decision.money,
            reference=decision.reference.strip(),
            before=question.fallback if self._is_new else "",
            at=workflow.now(),
        )
        first, cost = question.first, question.cost(taken.option, taken.amount)
        above = self._operators.four_eyes.get(self._order.currency)
        if cost is None or above is None or cost <= above:
            question.answer = taken
        elif first and (first.option, first.amount) == (taken.option, taken.amount):
            question.answer = first.model_copy(update={"seconded_by": taken.by})
        else:
            question.first = taken
            self._state.note(f"{taken.by} decided {taken.option} ({taken.reason}); a second one must", taken.at)
            self.tell()
            return f"{taken.option}, decided by {taken.by}; somebody else must decide the same"
        return f"{taken.option}, decided by {taken.by}"


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _refused(text: str) -> ApplicationError:
    return ApplicationError(text, type="NotPossible", non_retryable=True)


def _check_signed(by: str, reason: str) -> None:
    if by.strip() in {"", SIGNED["by"]}:
        raise _refused("by: write who decides, that is your own name")
    if reason.strip() in {"", SIGNED["reason"]}:
        raise _refused("reason: write why, in a few words of your own")
