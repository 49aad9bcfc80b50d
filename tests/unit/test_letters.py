"""The book of letters: what it finds wrong and where, and how it writes what it is given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.faults import BadFile
from aftersales.layout import is_web_address
from aftersales.letter_check import Declared
from aftersales.letter_formats import Formats, locale_for
from aftersales.letters import LetterBook, LetterError, Rendered
from aftersales.plaintext import one_line, wrap
from aftersales.policy import Policy, load_policy

ROOT = Path(__file__).parents[2]
FRAME = """\
frame:
  greeting: "Hello {{ customer_name }},"
  choose: "Reply with {{ numbers | either }}."
  closing: "Bye."
  signature: ["{{ shop }}"]
  order: "Order {{ order_id }}"
  item: "{{ line.title }}"
  more: "and {{ number }} more"
glossary:
  used: "used"
  damaged: "damaged"
"""
OFFER = """\
offer:
  subject: "Offer for {{ order_id }}"
  paragraphs:
    - "You get {{ sum | money }}."
    - "Until {{ by | date }}."
  choices:
    take: "I take it."
    leave: "I leave it."
"""
DECLARED: Declared = {"sales": {"offer": frozenset({"sum", "by"})}}
VALUES: dict[str, object] = {
    "customer_name": "Ada",
    "order_id": "A-1",
    "shop": "Shop",
    "items": [{"title": "Lamp"}],
    "total": "9.00",
    "sum": "5.00",
    "by": "2026-11-20",
}


def write(folder: Path, **files: str) -> Path:
    """Letter files by `<process>_<language>`; the frames of English and German are always there."""
    for name, content in {
        "common_en": FRAME,
        "common_de": FRAME,
        "sales_en": OFFER,
        "sales_de": OFFER,
        **files,
    }.items():
        process, language = name.split("_", 1)
        (folder / process).mkdir(exist_ok=True)
        (folder / process / f"{language}.yaml").write_text(content)
    return folder


def found(
    folder: Path,
    declared: Declared = DECLARED,
    languages: Sequence[str] = ("en", "de"),
    policies: Sequence[Policy] = (),
) -> list[str]:
    problems = LetterBook.load(folder).check(declared, languages, policies)
    return [str(problem).removeprefix(f"{folder}/") for problem in problems]


def render(
    folder: Path,
    language: str = "en",
    fallback: Sequence[str] = ("en",),
    locale: str = "en-US",
    letter: str = "offer",
    **values: object,
) -> Rendered:
    return LetterBook.load(folder).render(
        letter,
        process="sales",
        language=language,
        fallback=fallback,
        locale=locale,
        currency="USD",
        values={**VALUES, **values},
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("See https://shop.example/a.", "offer: it links to shop.example, and bay allows no links to other sites"),
        ("Call +49 30 1234567.", "offer: it holds the phone number +49 30 1234567, and bay allows none"),
        ("Write to us@shop.example.", "offer: it holds the e-mail address us@shop.example, and bay allows none"),
        ("Please leave us\n      a review.", "offer: it asks for a review (“leave us a review”), which no letter does"),
        (
            "Bitte {{ by | date }} Bewertung ändern.",
            "offer: it asks for a review (“bewertung ändern”), which no letter",
        ),
    ],
)
def test_a_template_that_a_channel_forbids_is_refused_with_its_line(tmp_path: Path, words: str, problem: str) -> None:
    rules = {"bay": {"outside_links": "forbidden", "contact_details": False}, "default": {}}
    policy = load_policy(ROOT / "policies/default.yaml", ROOT / "policies/law", {"channel_rules": rules})
    broken = OFFER.replace("Until {{ by | date }}.", f"Until {{{{ by | date }}}}. {words}")
    lines = found(write(tmp_path, sales_en=broken), policies=[policy])
    assert any(line.startswith(f"sales/en.yaml:5: {problem}") for line in lines), lines
    assert found(write(tmp_path, sales_en=OFFER), policies=[policy]) == []


def test_a_frame_that_a_channel_forbids_is_refused_too(tmp_path: Path) -> None:
    policy = load_policy(ROOT / "policies/default.yaml", ROOT / "policies/law")
    frame = FRAME.replace('["{{ shop }}"]', '["{{ shop }}", "www.shop.example"]')
    lines = found(write(tmp_path, common_de=frame), policies=[policy])
    assert sorted(line.partition("and ")[2] for line in lines) == [
        "amazon allows only links with https",
        "ebay allows no links to other sites",
    ]
    assert lines[0].startswith("common/de.yaml:5: frame: it links to www.shop.example")


def test_a_letter_must_say_what_the_law_asks_for(tmp_path: Path) -> None:
    declared: Declared = {"sales": {"delay-option": frozenset({"sum", "by"})}}
    policy = load_policy(ROOT / "policies/default.yaml", ROOT / "policies/law")
    silent = OFFER.replace("offer:", "delay-option:", 1)
    says = silent.replace("You get", "Cancel, and get a prompt\n      refund:")
    german = silent.replace("You get", "Stornieren Sie, wir erstatten")
    assert found(write(tmp_path, sales_en=silent, sales_de=german), declared, policies=[policy]) == [
        "sales/en.yaml:1: delay-option: must say “cancel”: 16 CFR 435.2",
        "sales/en.yaml:1: delay-option: must say “prompt refund”: 16 CFR 435.2",
    ]
    assert found(write(tmp_path, sales_en=says, sales_de=german), declared, policies=[policy]) == []


def test_letters_that_agree_have_no_problem(tmp_path: Path) -> None:
    assert found(write(tmp_path)) == []


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        (
            "sum | money",
            "summ | money",
            "sales/de.yaml:4",
            "uses summ, which is not declared for it; did you mean sum?",
        ),
        ("You get {{ sum | money }}.", "You get it.", "sales/de.yaml:1", "does not use sum, but en does"),
        ("take: ", "grab: ", "sales/de.yaml:7", "offers grab, leave, but"),
        ("subject:", "headline: x\n  subject:", "sales/de.yaml:2", "is not a known key"),
        ('"Until {{ by | date }}."', '" "', "sales/de.yaml:5", "is empty"),
        ("offer:", "offr:", "sales/de.yaml:1", "offr: no process sends it; did you mean offer?"),
        ("offer:", "offr:", "sales/de.yaml:1", "offer: is missing"),
    ],
)
def test_problem_is_found_at_its_line(tmp_path: Path, old: str, new: str, where: str, what: str) -> None:
    problems = found(write(tmp_path, sales_de=OFFER.replace(old, new)))
    assert any(problem.startswith(f"{where}: ") and what in problem for problem in problems), problems


def test_choices_in_another_order_are_a_problem(tmp_path: Path) -> None:
    turned = OFFER.replace("take: ", "x: ").replace("leave: ", "take: ").replace("x: ", "leave: ")
    (problem,) = found(write(tmp_path, sales_de=turned))
    assert problem.startswith("sales/de.yaml:7: offer: offers leave, take, but")


def test_variable_that_no_language_uses_is_a_problem(tmp_path: Path) -> None:
    problems = found(write(tmp_path), {"sales": {"offer": frozenset({"sum", "by", "extra"})}})
    assert len(problems) == 2
    assert all("does not use extra, but no language does" in problem for problem in problems)


def test_missing_language_is_a_problem(tmp_path: Path) -> None:
    problems = found(write(tmp_path), languages=("en", "fr"))
    assert "common/fr.yaml:0: is missing; every letter is written in every language" in problems
    assert "sales/fr.yaml:0: is missing; every letter is written in every language" in problems


def test_language_without_frame_is_a_problem(tmp_path: Path) -> None:
    (problem,) = found(write(tmp_path, sales_it=OFFER))
    assert problem.startswith("sales/it.yaml:1: there is no ")


def test_frames_may_use_the_common_variables_only_and_share_a_glossary(tmp_path: Path) -> None:
    frame = FRAME.replace("{{ shop }}", "{{ agent }}").replace("used: ", "worn: ")
    problems = found(write(tmp_path, common_de=frame))
    assert any(p.startswith("common/de.yaml:5: frame: uses agent") for p in problems)
    assert any("glossary: lacks used" in p or "glossary: lacks worn" in p for p in problems)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (OFFER.replace("sum | money }}", "sum | money }"), "en.yaml:4: offer.paragraphs[0]: is not a valid template"),
        (OFFER.replace("sum | money", "sum | mony"), "en.yaml:4: offer.paragraphs[0]: is not a valid template"),
        (OFFER.replace("    leave: ", "#"), "en.yaml:6: offer.choices: offers fewer than two solutions"),
        (OFFER.replace('"Offer for {{ order_id }}"', "12"), "en.yaml:2: offer.subject: must be text"),
        (OFFER.replace("  subject", "# subject"), "offer.subject: is missing"),
        ("- a list", "en.yaml:1: must be a mapping"),
        ("", "en.yaml:1: must be a mapping"),
        ("offer: {subject: x, paragraphs: [{links: 'a b', text: x}]}", "must be the name of a variable"),
        ("offer: {subject: x, paragraphs: [x], after_choices: [y]}", "stands without choices"),
        ("offer: [", "is not valid YAML"),
    ],
)
def test_file_that_cannot_be_understood_is_refused_at_its_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(BadFile, match="sales/") as error:
        LetterBook.load(write(tmp_path, sales_en=content))
    assert message in str(error.value)


def test_folder_without_letters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="has no letters"):
        LetterBook.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("language", "fallback", "chosen"),
    [
        ("de", ["en"], "de"),
        ("de-AT", ["en"], "de"),
        ("DE_at", ["en"], "de"),
        ("zh-TW", ["en"], "zh-TW"),
        ("zh-Hans-CN", ["en"], "zh"),
        ("fr", ["de", "en"], "de"),
        ("fr", ["en"], "en"),
        ("", ["en"], "en"),
    ],
)
def test_language_is_the_nearest_one(tmp_path: Path, language: str, fallback: list[str], chosen: str) -> None:
    files = {"common_zh": FRAME, "sales_zh": OFFER, "common_zh-TW": FRAME, "sales_zh-TW": OFFER}
    assert render(write(tmp_path, **files), language, fallback).language == chosen


def test_letter_that_no_language_has_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LetterError, match="no letter refusal in fr, en"):
        render(write(tmp_path), "fr", letter="refusal")


def test_version_follows_the_letter_and_its_frame_only(tmp_path: Path) -> None:
    def version(**files: str) -> str:
        return render(write(tmp_path, **files)).version

    first = version()
    assert first == version(sales_de=OFFER.replace("You", "Thou"))
    assert first == version(sales_en=f"# a comment\n{OFFER}")
    assert first == version(sales_en=OFFER + OFFER.replace("offer:", "other:"))
    assert first != version(sales_en=OFFER.replace("You", "Thou"))
    assert first != version(sales_en=OFFER, common_en=FRAME.replace("Bye", "Ciao"))


def test_text_is_numbered_and_ends_with_the_order(tmp_path: Path) -> None:
    items = [{"title": f"Lamp {n}"} for n in range(8)]
    written = render(write(tmp_path), items=items)
    assert written.choices == ("take", "leave")
    assert "1. I take it.\n2. I leave it.\n\nReply with 1 or 2.\n" in written.text
    assert written.text.endswith("Order A-1\nLamp 0\nLamp 1\nLamp 2\nLamp 3\nLamp 4\nand 3 more\n")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sum": "much"}, "en.yaml:4: money wants a decimal string such as '18.00', got 'much'"),
        ({"sum": "NaN"}, "money wants a decimal string"),
        ({"sum": ["5"]}, "money wants a decimal string"),
        ({"sum": 5.0}, "sum: a letter cannot hold a float"),
        ({"sum": object()}, "sum: a letter cannot hold a object"),
        ({"by": "soon"}, "en.yaml:5: date wants ISO text"),
        ({"by": "2026-11-20T09:30:00"}, "a time needs its offset"),
        ({"items": "Lamp"}, "items must be a list"),
        ({"items": [{}]}, "has no attribute 'title'"),
    ],
)
def test_value_of_the_wrong_type_is_named_with_its_line(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(LetterError) as error:
        render(write(tmp_path), **values)
    assert message in str(error.value)


def test_missing_value_is_named(tmp_path: Path) -> None:
    book = LetterBook.load(write(tmp_path))
    values = {name: value for name, value in VALUES.items() if name != "sum"}
    with pytest.raises(LetterError, match=r"en\.yaml:4: 'sum' is undefined"):
        book.render("offer", process="sales", language="en", fallback=[], locale="en", currency="USD", values=values)


def test_templates_cannot_reach_into_python(tmp_path: Path) -> None:
    reaching = OFFER.replace("sum | money", "sum.__class__.__mro__")
    with pytest.raises(LetterError, match="unsafe"):
        render(write(tmp_path, sales_en=reaching))


def test_lists_links_and_photos(tmp_path: Path) -> None:
    letter = """\
offer:
  subject: s
  paragraphs:
    - list: ["one", "{% if no %}two{% endif %}", "three"]
    - {link: "{{ url }}", text: "Track"}
    - {link: "{{ none }}", text: "Never"}
    - {links: photos, text: "Photo {{ number }}"}
    - {links: nothing, text: "Never"}
"""
    written = render(
        write(tmp_path, sales_en=letter),
        no=False,
        url="https://a.example/?x=1&y=2",
        none="",
        photos=["https://a.example/1", "javascript:alert(1)"],
        nothing=[],
    )
    assert "- one\n- three\n\nTrack:\nhttps://a.example/?x=1&y=2\n\nPhoto 1:\nhttps://a.example/1\n" in written.text
    assert 'class="button"' in written.html
    assert 'href="https://a.example/?x=1&amp;y=2">Track</a>' in written.html
    assert "Photo 2: javascript:alert(1)" in written.html
    assert "Never" not in written.text


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://a.example/x?y=1", True),
        ("HTTP://a.example", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//a.example", False),
        ("https://", False),
        ("https://a.example/ b", False),
        ('https://a.example/"onclick', False),
        ("https://[bad", False),
        ("a.example", False),
    ],
)
def test_web_addresses(address: str, is_one: bool) -> None:
    assert is_web_address(address) is is_one


@pytest.mark.parametrize(
    ("customer", "written"),
    [
        ("zh zh-CN CNY", "¥1,234.50 | 2026年11月20日 | 2026年11月20日17:30 | 12.5% | 3天"),
        ("zh en-US USD", "US$1,234.50 | 2026年11月20日 | 2026年11月20日09:30（UTC） | 12.5% | 3天"),
        ("en en-US USD", "$1,234.50 | November 20, 2026 | November 20, 2026, 9:30 AM (UTC) | 12.5% | 3 days"),
        ("en en-GB GBP", "£1,234.50 | 20 November 2026 | 20 November 2026, 09:30 | 12.5% | 3 days"),
        ("de de-DE EUR", "1.234,50 € | 20. November 2026 | 20. November 2026 um 10:30 Uhr | 12,5 % | 3 Tage"),
        ("de de-AT EUR", "€ 1.234,50 | 20. November 2026 | 20. November 2026 um 10:30 Uhr | 12,5 % | 3 Tage"),
        ("fr fr-FR EUR", "1 234,50 € | 20 novembre 2026 | 20 novembre 2026 à 10 h 30 | 12,5 % | 3 jours"),
        ("fr fr-CA CAD", "1 234,50 $ | 20 novembre 2026 | 20 novembre 2026 à 9 h 30 (UTC) | 12,5 % | 3 jours"),
        (
            "es es-ES EUR",
            "1.234,50 € | 20 de noviembre de 2026 | 20 de noviembre de 2026 a las 10:30 | 12,5 % | 3 días",
        ),
        (
            "es es-MX MXN",
            "$1,234.50 | 20 de noviembre de 2026 | 20 de noviembre de 2026 a las 9:30 a.m. (UTC) | 12.5% | 3 días",
        ),
        ("ja ja-JP USD", "$1,234.50 | 2026年11月20日 | 2026年11月20日 18:30 | 12.5% | 3日"),
        ("ja en-US USD", "$1,234.50 | 2026年11月20日 | 2026年11月20日 9:30（UTC） | 12.5% | 3日"),
        ("en de-DE EUR", "1.234,50 € | 20 November 2026 | 20 November 2026, 10:30 | 12,5 % | 3 days"),
        ("en nonsense EUR", "€1,234.50 | November 20, 2026 | November 20, 2026, 9:30 AM (UTC) | 12.5% | 3 days"),
    ],
)
def test_formats(customer: str, written: str) -> None:
    language, locale, currency = customer.split()
    formats = Formats(locale_for(language, locale), currency, {})
    asked = formats.money("1234.5"), formats.date("2026-11-20"), formats.datetime("2026-11-20T09:30:00Z")
    shown = " | ".join([*asked, formats.percent("0.125"), formats.duration("72h")])
    assert shown.replace("\xa0", " ").replace("\u202f", " ") == written
    assert formats.datetime("2026-11-20") == formats.date("2026-11-20")
    assert formats.percent("12.5 %") == formats.percent("0.125")


def test_deadline_is_on_the_customers_clock_and_a_scan_on_the_carriers() -> None:
    chinese = Formats(locale_for("zh", "zh-CN"), "CNY", {})
    assert chinese.datetime("2026-11-20T09:30:00-06:00") == "2026年11月20日23:30"
    assert chinese.datetime_there("2026-11-20T09:30:00-06:00") == "2026年11月20日09:30（UTC-06:00）"
    assert chinese.datetime_there("2026-11-20T09:30:00+08:00") == "2026年11月20日09:30"
    assert chinese.datetime_there("2026-11-20T09:30:00Z") == "2026年11月20日17:30"
    american = Formats(locale_for("en", "en-US"), "USD", {})
    assert american.datetime("2026-11-20T09:30:00-06:00").endswith("9:30\u202fAM (UTC-06:00)")


def test_first_of_a_month_and_full_hours_in_french() -> None:
    french = Formats(locale_for("fr", "fr-BE"), "EUR", {})
    assert french.date("2026-12-01") == "1er\xa0décembre 2026"
    assert french.date("2026-12-11") == "11\xa0décembre 2026"
    assert french.datetime("2026-11-30T23:00:00Z") == "1er\xa0décembre 2026 à 0\xa0h"
    assert Formats(locale_for("de", "de-AT"), "EUR", {}).date("2026-01-01") == "1.\xa0Jänner 2026"


def test_lists_in_german_and_french() -> None:
    glossary = {"a": "Kratzer", "b": "Risse", "c": "Flecken"}
    german = Formats(locale_for("de", "de-DE"), "EUR", glossary)
    french = Formats(locale_for("fr", "fr-FR"), "EUR", glossary)
    assert german.words(["a", "b", "c"]) == "Kratzer, Risse und Flecken"
    assert french.words(["a", "b", "c"]) == "Kratzer, Risse et Flecken"
    assert (german.either(["1", "2"]), french.either(["1", "2"])) == ("1 oder 2", "1 ou 2")


def test_spaces_of_french_are_put_in_and_hold_the_line_together(tmp_path: Path) -> None:
    letter = """\
offer:
  subject: "Deux choses : un « mot » ; et quoi ?"
  paragraphs:
    - "Voici l’article « {{ item }} »{% if last %} : {{ sum | money }}{% endif %}."
    - {link: "{{ url }}", text: "Suivre"}
"""
    values: dict[str, Any] = {"item": "Lampe : 2 !", "last": True, "url": "https://a.example/?a=1;b"}
    files = {"common_fr": FRAME, "sales_fr": letter}
    written = render(write(tmp_path, **files), "fr", locale="fr-FR", **values)
    assert written.subject == "Deux choses\xa0: un «\u202fmot\u202f»\u202f; et quoi\u202f?"
    assert "l’article «\u202fLampe : 2 !\u202f»\xa0: 5,00\xa0$US." in written.text
    assert "Suivre\xa0:\nhttps://a.example/?a=1;b\n" in written.text


def test_spanish_counts_the_hour_and_ends_a_sentence_once(tmp_path: Path) -> None:
    spain = Formats(locale_for("es", "es-ES"), "EUR", {})
    assert spain.datetime("2026-11-20T00:05:00Z") == "20 de noviembre de 2026 a la 1:05"
    assert spain.datetime("2026-11-20T12:05:00Z") == "20 de noviembre de 2026 a las 13:05"
    letter = OFFER.replace("Until {{ by | date }}.", "Antes del {{ by | datetime }}. Gracias.")
    files = {"common_es": FRAME, "sales_es": letter}

    def until(locale: str, hour: str) -> str:
        written = render(write(tmp_path, **files), "es", locale=locale, by=f"2026-11-20T{hour}:05:00Z").text
        return written.replace("\xa0", " ").replace("\u202f", " ")

    assert "Antes del 20 de noviembre de 2026 a la 1:05 p. m. Gracias." in until("es-CO", "18")
    assert "Antes del 20 de noviembre de 2026 a las 9:05 a. m. Gracias." in until("es-AR", "12")
    assert "Antes del 20 de noviembre de 2026 a las 3:05 p. m. Gracias." in until("es-CL", "18")
    assert "Antes del 20 de noviembre de 2026 a la 1:05 p. m. Gracias." in until("es-EC", "18")


def test_japanese_is_set_in_its_own_marks_and_fonts(tmp_path: Path) -> None:
    japanese = Formats(locale_for("ja", "ja-JP"), "JPY", {"a": "破損", "b": "不足", "c": "汚れ"})
    assert japanese.money("1234") == "￥1,234"
    assert japanese.datetime_there("2026-11-20T09:30:00-06:00") == "2026年11月20日 9:30（UTC-06:00）"
    assert [japanese.duration(span) for span in ("36h", "90m", "72h")] == ["36時間", "90分", "3日"]
    assert japanese.words(["a", "b", "c"]) == "破損、不足、汚れ"
    assert japanese.either(["1", "2"]) == "1または2"
    letter = OFFER.replace('"Until {{ by | date }}."', '{link: "https://a.example", text: "{{ by | date }}"}')
    files = {"common_ja": FRAME, "sales_ja": letter}
    written = render(write(tmp_path, **files), "ja", locale="ja-JP")
    assert "2026年11月20日：\nhttps://a.example\n" in written.text
    assert "'Hiragino Sans'" in written.html
    assert "PingFang" not in written.html
    assert "PingFang" in render(tmp_path).html


def test_span_is_never_rounded() -> None:
    formats = Formats(locale_for("en", "en-US"), "USD", {})
    assert [formats.duration(span) for span in ("36h", "90m", "1h")] == ["36 hours", "90 minutes", "1 hour"]


def test_codes_are_written_in_words() -> None:
    formats = Formats(locale_for("en", "en-US"), "USD", {"used": "signs of use", "damaged": "damage"})
    assert formats.words(["damaged", "used"]) == "damage and signs of use"
    with pytest.raises(ValueError, match="the glossary has no stolen; it has used, damaged"):
        formats.words(["stolen"])


def test_text_becomes_one_line() -> None:
    assert one_line(" a\r\nb\x00c\u2028d  e ") == "a b c d e"
    assert one_line("\u202eabc\u202c") == "abc"
    assert one_line("\ud800") == "\N{REPLACEMENT CHARACTER}"
    assert one_line("محمد 👩\u200d🔧") == "محمد 👩\u200d🔧"


@given(st.text(alphabet=st.sampled_from("ab 您好，。（）“”(),.x😀é"), max_size=60), st.integers(2, 30))
def test_lines_lose_nothing(text: str, width: int) -> None:
    assert "".join("".join(wrap(text, width)).split()) == "".join(text.split())


def test_lines_break_where_the_language_allows() -> None:
    assert wrap("aaa bbb ccc", 7) == ["aaa bbb", "ccc"]
    assert wrap("x https://a.example/very/long", 10) == ["x", "https://a.example/very/long"]
    assert wrap("1. aaa bbb", 7, "   ") == ["1. aaa", "   bbb"]
    assert wrap("您好您好您好，您好。", 12) == ["您好您好您", "好，您好。"]
    assert wrap("aa bb\xa0cc «\u202fdd\u202f»", 7) == ["aa", "bb\xa0cc", "«\u202fdd\u202f»"]
    assert wrap("bb «\u202f灯\u202f» „灯", 6) == ["bb", "«\u202f灯\u202f»", "„灯"]
    assert wrap("セールしたいっしょに", 12) == ["セールした", "いっしょに"]
    assert wrap("ああいいテレビとカー", 10) == ["ああいいテ", "レビとカー"]
    assert wrap("ああいいシャワー", 10) == ["ああいい", "シャワー"]
    assert wrap("ああ￥1,234", 8) == ["ああ", "￥1,234"]
    assert wrap("") == []
