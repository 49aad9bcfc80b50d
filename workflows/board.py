"""The board of a case: what operators see of it from outside, and the question that is open for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from aftersales.options import option_meant
    from aftersales.outcome import DecisionTaken
    from aftersales.people import Role
    from aftersales.state import CaseState

from workflows import attributes
from workflows.details import SIGNED, Question, current_details
from workflows.requests import Decide, Extend

BY_HAND = "done_by_hand"
"""The option of a command that its counterpart refused and a person has had done."""


class Board:
    """Stage and deadline as search attributes, the story and the open question as Current Details."""

    def __init__(self, state: CaseState) -> None:
        self._state = state
        self._shown: tuple[str, datetime | None, bool] = ("opened", None, False)
        self.deadline: datetime | None = None
        self.question: Question | None = None

    def show(self, deadline: datetime | None, result: str = "") -> None:
        """Show the stage with this deadline: one search-attribute upsert where something changed."""
        self.deadline = deadline
        state, shown = self._state, (self._state.stage, deadline, self._state.angry)
        if shown != self._shown:
            updates: list[SearchAttributeUpdate[Any]] = [attributes.STAGE.value_set(state.stage)]
            if deadline != self._shown[1]:
                key = attributes.DEADLINE
                updates.append(key.value_set(deadline) if deadline else key.value_unset())
            if state.angry:
                updates.append(attributes.ANGRY.value_set(True))
            if result:
                updates.append(attributes.RESULT.value_set(result))
            workflow.upsert_search_attributes(updates)
            self._shown = shown
        self.tell()

    def tell(self) -> None:
        """Show the story and the open question, with what came since it was asked."""
        workflow.set_current_details(current_details(self._state, self.deadline, self.asked))

    @property
    def asked(self) -> Question | None:
        """The open question, with what is in the inbox while it waits."""
        return self.question and self.question.model_copy(update={"meanwhile": self._state.unread})

    def check_decision(self, decision: Decide) -> None:
        """Raise where a decision is not possible now, saying what is."""
        question = self.question
        if question is None or question.answer is not None:
            raise _refused("no decision is open in this case now; its Current Details say what it waits for")
        if unknown := sorted(decision.model_extra or {}):
            raise _refused(f"{unknown[0]}: is not known here; write option, by, reason and, where asked for, amount")
        if option_meant(decision.option, question.options) is None:
            raise _refused(f"option: {decision.option!r} is not open; choose one of {', '.join(question.options)}")
        if decision.reference and option_meant(decision.option, question.options) != BY_HAND:
            raise _refused(f"reference: goes with {BY_HAND} only, which is not what you chose")
        try:
            money = decision.money
        except ValueError:
            raise _refused(f'amount: write it as "12.90", not {decision.amount!r}') from None
        if money is not None and (question.most is None or money > question.most):
            raise _refused(f"amount: {money} is not possible; the most is {question.most or 'none'}")
        _check_signed(decision.by, decision.reason)

    def check_extension(self, extension: Extend) -> None:
        """Raise where the deadline cannot be moved so, saying how it can."""
        if self.deadline is None:
            raise _refused("this case waits for no deadline now")
        if extension.until is None or extension.until.tzinfo is None:
            raise _refused('until: write a moment with its offset, such as "2026-12-01T12:00:00Z"')
        if extension.until <= workflow.now():
            raise _refused(f"until: {extension.until.isoformat()} is in the past")
        _check_signed(extension.by, extension.reason)

    def ask(self, text: str, options: Mapping[str, str], fallback: str, most: Any, role: Role) -> Question:
        """Open a question for operators, with what each option does."""
        self.question = Question(
            text=text, options=tuple(options), does=options, fallback=fallback, most=most, role=role
        )
        return self.question

    def answer(self, decision: Decide) -> DecisionTaken:
        """Take an operator's decision on the open question."""
        assert self.question, "the validator lets no decision in without a question"
        self.question.answer = DecisionTaken(
            question=self.question.text,
            option=option_meant(decision.option, self.question.options) or decision.option,
            by=decision.by.strip(),
            reason=decision.reason.strip(),
            amount=decision.money,
            reference=decision.reference.strip(),
            at=workflow.now(),
        )
        return self.question.answer


def _refused(text: str) -> ApplicationError:
    return ApplicationError(text, type="NotPossible", non_retryable=True)


def _check_signed(by: str, reason: str) -> None:
    if by.strip() in {"", SIGNED["by"]}:
        raise _refused("by: write who decides, that is your own name")
    if reason.strip() in {"", SIGNED["reason"]}:
        raise _refused("reason: write why, in a few words of your own")
