"""The clocks of a case, and where their lengths are written."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import workflows
from adapters.settings import ROOT
from aftersales import clocks
from aftersales.clocks import Waits, by_law, waiting
from aftersales.law import load_packs
from aftersales.policy import Policy

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TERMS = Waits("customer", "returns.reply_window", "the customer: the request is closed as abandoned")


def _all_waits() -> Iterator[tuple[str, Waits]]:
    """All that is written down about stages and clocks, with the place where it stands."""
    names = [f"workflows.{module.name}" for module in pkgutil.iter_modules(workflows.__path__)]
    for name in ["aftersales.clocks", *names]:
        for what, value in vars(importlib.import_module(name)).items():
            if isinstance(value, Waits):
                yield f"{name}.{what}", value
    for process in workflows.ALL:
        yield from ((f"{process.process} {stage}", waits) for stage, waits in process.WAITS.items())
    yield from clocks.EVERYWHERE.items()


everywhere = pytest.mark.parametrize("waits", [pytest.param(waits, id=where) for where, waits in _all_waits()])


def test_a_stage_waits_with_what_its_process_says_of_it() -> None:
    clock = waiting("return-terms", AT, {"return-terms": TERMS})
    assert (clock.what, clock.at) == ("return-terms", AT)
    assert Waits(clock.whose, clock.source, clock.loses) == TERMS


def test_a_reminder_waits_as_the_letter_that_it_reminds_of() -> None:
    known = {"return-terms": TERMS, "other-reminder": TERMS._replace(whose="carrier")}
    assert waiting("return-terms-reminder", AT, known).whose == "customer"
    assert waiting("other-reminder", AT, known).whose == "carrier"


@pytest.mark.parametrize("stage", ["decision", "payment-held"])
def test_every_process_waits_for_people_alike_unless_it_says_otherwise(stage: str) -> None:
    assert waiting(stage, AT, {}).source == clocks.EVERYWHERE[stage].source
    assert waiting(stage, AT, {stage: TERMS}).source == TERMS.source


def test_a_stage_of_which_nothing_is_known_is_shown_as_our_own_time() -> None:
    clock = waiting("unheard-of", AT, {"return-terms": TERMS})
    assert (clock.whose, clock.source, clock.loses) == ("ours", "", "")


def test_a_date_of_the_law_names_pack_and_rule() -> None:
    eu = load_packs(ROOT / "policies" / "law")["eu"]
    waits = by_law(eu, "the shop: the refund is late")
    assert waits.whose == "law"
    assert waits.source == "law pack eu: Directive 2011/83/EU, Articles 9, 13 and 14"


@everywhere
def test_a_window_that_is_named_stands_in_the_policy(waits: Waits) -> None:
    section, dot, field = waits.source.partition(".")
    if dot and re.fullmatch(r"[a-z_]+", section) and re.fullmatch(r"[a-z_]+", field):
        assert field in Policy.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
    else:
        assert ": " in waits.source


@everywhere
def test_it_is_said_first_who_loses(waits: Waits) -> None:
    assert re.match(r"(the (customer|shop|carrier|insurer|platform)|nobody): \S", waits.loses)
