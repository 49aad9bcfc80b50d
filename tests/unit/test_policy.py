from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aftersales.lanes import ParcelWindows
from aftersales.policy import Policy, load_policy, sections
from aftersales.yamlfile import BadFile, load_yaml

POLICIES = Path(__file__).parents[2] / "policies"
DEFAULT = POLICIES / "default.yaml"
LAW = POLICIES / "law"
HOUR = timedelta(hours=1)
LOST_AFTER = load_yaml(DEFAULT).line(("parcels", "lost_after"))

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "default.yaml").write_text(DEFAULT.read_text("utf-8"), encoding="utf-8")

    def write(text: str, name: str = "shop.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def default(overrides: Any = None) -> Policy:
    return load_policy(DEFAULT, LAW, overrides)


def refusal(path: Path, overrides: Any = None, markets: list[str] | None = None) -> str:
    with pytest.raises(BadFile) as caught:
        load_policy(path, LAW, overrides, markets)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_the_default_policy_has_the_numbers_of_the_rules() -> None:
    policy = default()
    returns, parcels, products = policy.returns, policy.parcels, policy.products
    assert (returns.return_window, returns.reply_window) == (30 * 24 * HOUR, 72 * HOUR)
    assert (returns.restocking_fee, returns.ship_back_window) == (Decimal("0.15"), 14 * 24 * HOUR)
    assert (returns.inspection_window, returns.insurer_window) == (72 * HOUR, 72 * HOUR)
    assert returns.insurance_cap_for("lighting") == 12
    assert returns.insurance_cap_for("furniture") == 25
    assert all(8 <= cap <= 25 for cap in returns.insurance_cap.values())
    assert (parcels.pickup_window, parcels.pickup_letter_after) == (24 * HOUR, 48 * HOUR)
    assert (parcels.stuck_after, parcels.lost_after) == (48 * HOUR, 72 * HOUR)
    assert (parcels.delivery_window, parcels.choice_window) == (48 * HOUR, 48 * HOUR)
    assert (products.evidence_window, products.keep_offer) == (72 * HOUR, Decimal("0.2"))
    assert policy.operators.operator_window == 24 * HOUR
    assert policy.letters.languages == ("en", "zh", "de", "fr", "es", "ja")


def test_a_field_name_stands_in_one_section_only() -> None:
    names = Counter(name for fields in sections().values() for name in [*fields])
    assert [name for name, times in names.items() if times > 1] == []
    assert not set(names) & set(sections())


def test_every_field_says_what_it_is_and_which_rule_it_is_from() -> None:
    for section in sections():
        kind = Policy.model_fields[section].annotation
        assert kind is not None
        for name, field in kind.model_fields.items():
            assert field.description, name
            assert "§" in field.description or "words" in field.description, name


def test_the_default_file_explains_every_field() -> None:
    lines = DEFAULT.read_text("utf-8").splitlines()
    document = load_yaml(DEFAULT)
    for section, names in sections().items():
        for name in names:
            assert "#" in lines[document.line((section, name)) - 2], name


def test_the_demo_fits_in_a_minute() -> None:
    demo = load_policy(POLICIES / "demo.yaml", LAW)
    # Terms of the law, of the shop and of carriers, for which no case waits.
    dates = {"return_window", "exchange_window", "claim_from", "claim_lead", "claim_until", "appeal_window"}
    waits = {
        name: value
        for part in (
            demo.returns,
            demo.parcels,
            demo.products,
            demo.complaints,
            demo.inquiries,
            demo.bulk,
            demo.reviews,
            demo.invoices,
            demo.perks,
            demo.operators,
            demo.letters,
        )
        for name, value in part
        if isinstance(value, timedelta) and name not in dates
    }
    assert all(timedelta(seconds=3) <= wait <= timedelta(seconds=12) for wait in waits.values()), waits
    assert demo.operators.operator_window == timedelta(seconds=12)
    assert demo.version.startswith("demo+")


def test_a_policy_survives_json() -> None:
    hours = {"timezone": "Asia/Shanghai", "days": ["mon"], "from": "09:00", "to": "18:00"}
    lanes = {"*:CN>US": {"lost_after": "240h"}}
    for policy in (default(), default({"hours": hours, "lanes": lanes}), default().for_market("US")):
        assert Policy.model_validate_json(policy.model_dump_json()) == policy


def test_any_change_of_a_number_shows_in_the_version(write: Write) -> None:
    before = default()
    assert before.version == default().version
    assert before.version.startswith("2026-11+")
    assert default({"reply_window": "73h"}).version != before.version
    assert default({"reply_window": "72h"}).version == before.version
    assert load_policy(write("extends: default.yaml\n"), LAW).version == before.version
    assert before.for_market("DE").version == before.version


@pytest.mark.parametrize(
    "overrides",
    [{"returns": {"reply_window": "24h"}}, {"reply_window": "24h"}, {"parcels": {"reply_window": "24h"}}],
)
def test_an_override_finds_its_section(overrides: dict[str, Any]) -> None:
    policy = default(overrides)
    assert policy.returns.reply_window == 24 * HOUR
    assert policy.returns.ship_back_window == 14 * 24 * HOUR


def test_an_override_changes_what_it_names_and_keeps_the_rest() -> None:
    policy = default({"insurance_cap": {"lighting": "9.00"}, "supervisor_limit": {"amount": "50.00"}})
    assert policy.returns.insurance_cap_for("lighting") == 9
    assert policy.returns.insurance_cap_for("furniture") == 25
    limit = policy.operators.supervisor_limit
    assert (limit.amount, limit.currency) == (Decimal(50), "USD")
    weekdays = {"timezone": "Asia/Shanghai", "days": ["mon"], "from": "09:00", "to": "18:00"}
    assert not default({"operators": {"hours": weekdays}}).operators.hours.calendar


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        ({"reply_windw": "24h"}, "overrides: reply_windw: is not a known key; did you mean reply_window?"),
        (
            {"returns": {"replywindow": "1h"}},
            "overrides: returns.replywindow: is not a known key; did you mean",
        ),
        ({"retruns": {}}, "overrides: retruns: is not a known key; "),
        ({"zzz": 1}, "overrides: zzz: is not a known key; known here: bulk, channels, complaints"),
        ({"law": {}}, "overrides: law: is not a known key"),
        ({"returns": 5}, "overrides: returns: must be a mapping of keys to values"),
        ({"reply_window": 24}, "overrides: returns.reply_window: write a span of time as 72h"),
        ({"reply_window": "0h"}, "overrides: returns.reply_window: a window must be longer than nothing"),
        ({"lost_after": "40h"}, "overrides: parcels.lost_after: 40h must be longer than stuck_after, 48h"),
        (
            {"pickup_letter_after": "1h"},
            "overrides: parcels.pickup_letter_after: 1h must not be shorter than",
        ),
        ({"restocking_fee": "115 %"}, "overrides: returns.restocking_fee: a share is from 0 % to 100 %"),
        ({"insurance_cap": {"x": "-1"}}, "overrides: returns.insurance_cap.x: money cannot be negative"),
        (
            {"supervisor_limit": {"currency": "XXQ"}},
            "overrides: operators.supervisor_limit.currency: 'XXQ' is",
        ),
        ({"lanes": {"CN>US": {}}}, "overrides: parcels.lanes.CN>US"),
        (
            {"lanes": {"*:CN>US": {"lost_after": "9h"}}},
            "overrides: parcels.lanes: *:CN>US: lost_after: 9h must",
        ),
        ({"lanes": {"*:CN>US": {"lost": "9h"}}}, "overrides: parcels.lanes.*:CN>US.lost: is not a known key"),
        ({"languages": []}, "overrides: letters.languages: tuple should have at least 1 item"),
        ({"languages": ["en", "en"]}, "overrides: letters.languages: each language may stand once"),
        ({"hours": {"calendar": False}}, "overrides: operators.hours: business time needs timezone"),
        ({"version": "1+abcdef"}, "overrides: version: the hash after + is added on loading; take it out"),
    ],
)
def test_an_impossible_override_is_refused(overrides: dict[str, Any], why: str) -> None:
    assert refusal(DEFAULT, overrides).startswith(why)


def test_overrides_from_a_file_are_refused_with_its_line(write: Write) -> None:
    scenario = load_yaml(write("name: x\npolicy:\n  parcels:\n    reply_window: 24\n", "scenario.yaml"))
    path = write("extends: default.yaml\n")
    assert refusal(path, scenario.part(("policy",))).startswith("scenario.yaml:4: returns.reply_window: write a")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "shop.yaml:1: must be a mapping of keys to values"),
        ("extends: none.yaml\n", "shop.yaml:1: extends: no file none.yaml"),
        ("\nextends: shop.yaml\n", "shop.yaml:2: extends: shop.yaml extends itself"),
        (
            "extends: default.yaml\n\nparcels:\n  reply_window: 1h\n",
            "shop.yaml:4: parcels.reply_window: is not a known key; it belongs under returns",
        ),
        (
            "extends: default.yaml\nreply_window: 1h\n",
            "shop.yaml:2: reply_window: is not a known key; write it under returns",
        ),
        (
            "extends: default.yaml\nreturns:\n  reply_windows: 1h\n",
            "shop.yaml:3: returns.reply_windows: is not a known key; did you mean reply_window?",
        ),
        (
            "extends: default.yaml\nparcels:\n  stuck_after: 80h\n",
            f"default.yaml:{LOST_AFTER}: parcels.lost_after: 72h must be longer than stuck_after, 80h",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_line(write: Write, text: str, why: str) -> None:
    assert refusal(write(text)).startswith(why)


def test_everything_wrong_is_told_at_once(write: Write) -> None:
    text = "extends: default.yaml\nreturns:\n  reply_windo: 1h\n  reply_window: 3\nletters:\n  languages: en\n"
    lines = [line.split(": ")[0] for line in refusal(write(text)).splitlines()]
    assert lines == ["shop.yaml:3", "shop.yaml:4", "shop.yaml:6"]


def test_a_field_that_is_missing_is_named(write: Write) -> None:
    text = DEFAULT.read_text("utf-8").replace("  reply_window: 72h\n", "")
    assert refusal(write(text)).endswith("returns.reply_window: is missing; add it")


def test_a_policy_that_breaks_the_law_is_refused_with_the_rule(write: Write) -> None:
    path = write("extends: default.yaml\nreturns:\n  return_window: 10d\n  inspection_window: 8d\n")
    refused = refusal(path).splitlines()
    assert "shop.yaml:3: returns.return_window: 10d is shorter than the 14 days to withdraw: Directive" in refused[1]
    assert any(line.startswith("shop.yaml:4: returns.inspection_window: 8d of inspection") for line in refused)
    assert "Article 25" in refusal(path, markets=["CN", "US"])
    assert load_policy(path, LAW, markets=["US", "JP"]).returns.return_window == 10 * 24 * HOUR


def test_a_case_takes_the_law_of_its_market() -> None:
    policy = default()
    assert list(policy.law) == ["cn", "eu", "uk", "us"]
    assert list(policy.for_market("DE").law) == ["eu"]
    assert list(policy.for_market("JP").law) == []
    pack = policy.for_market("CN").pack("CN")
    assert pack is not None
    assert pack.id == "cn"


LANES = {
    "*:CN>US": {"stuck_after": "96h", "lost_after": "240h"},
    "yanwen:CN>US": {"lost_after": "300h"},
    "*:*>BR": {"lost_after": "400h"},
    "yan*:*>*": {"lost_after": "100h"},
    "dhl:*>*": {"lost_after": "90h"},
}


@pytest.mark.parametrize(
    ("carrier", "origin", "destination", "lost_after"),
    [
        ("usps", "CN", "US", 240),
        ("USPS", "cn", "us", 240),
        ("yanwen", "CN", "US", 300),
        ("Yanwen", "CN", "FR", 100),
        ("yanwen", "CN", "BR", 400),
        ("dhl", "CN", "BR", 90),
        ("dhl", "CN", "US", 240),
        ("usps", "US", "US", 72),
        ("usps", "", "", 72),
        ("", "", "", 72),
    ],
)
def test_the_most_exact_lane_counts(carrier: str, origin: str, destination: str, lost_after: int) -> None:
    windows = default({"lanes": LANES}).parcels.for_lane(carrier, origin, destination)
    assert type(windows) is ParcelWindows
    assert windows.lost_after == lost_after * HOUR
    assert windows.stuck_after == (96 if lost_after == 240 else 48) * HOUR


def test_an_ordinary_parcel_has_the_windows_of_the_rules() -> None:
    windows = default().parcels.for_lane("anyone", "anywhere", "elsewhere")
    assert (windows.pickup_window, windows.stuck_after, windows.lost_after) == (
        24 * HOUR,
        48 * HOUR,
        72 * HOUR,
    )


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        default().returns.reply_window = HOUR  # type: ignore[misc]
