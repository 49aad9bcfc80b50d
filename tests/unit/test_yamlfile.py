from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from aftersales.units import Window
from aftersales.yamlfile import BadFile, Document, load_model, load_yaml

Write = Callable[..., Path]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    window: Window
    note: str = ""


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    part: Part
    parts: tuple[Part, ...] = ()
    named: dict[str, Part] | None = None


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "file.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(load: Callable[[Path], Any], path: Path) -> str:
    with pytest.raises(BadFile) as caught:
        load(path)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_plain_data_comes_out_with_dates_as_text(write: Write) -> None:
    document = load_yaml(
        write('a: 1\nb: 1.5\nc: "1"\nd: no\ne: true\nf: ~\ng: 2026-11-20T09:30:00Z\nh: [x, {y: 0o17}]\ni: 010\n')
    )
    assert document.data == {
        "a": 1,
        "b": 1.5,
        "c": "1",
        "d": "no",
        "e": True,
        "f": None,
        "g": "2026-11-20T09:30:00Z",
        "h": ["x", {"y": 15}],
        "i": 10,
    }


def test_an_emoji_may_be_escaped_as_in_json(write: Write) -> None:
    assert load_yaml(write(r'a: "hi \ud83d\ude00"')).data == {"a": "hi 😀"}


def test_every_value_knows_its_line(write: Write) -> None:
    document = load_yaml(write("# first\na:\n  b: 1\n  c:\n    - x\n    - {y: 2}\nd: 3\n"))
    lines = {(): 2, ("a",): 2, ("a", "b"): 3, ("a", "c", 0): 5, ("a", "c", 1, "y"): 6, ("d",): 7}
    assert {loc: document.line(loc) for loc in lines} == lines


def test_the_line_of_what_is_not_there_is_its_parents(write: Write) -> None:
    document = load_yaml(write("x: 1\na:\n  b: 1\n"))
    assert document.line(("a", "missing", "deeper")) == 2
    assert load_yaml(write("")).line(("a",)) == 1


def test_a_part_is_a_document_of_its_own(write: Write) -> None:
    part = load_yaml(write("a:\n  b:\n    c: 1\n")).part(("a", "b"))
    assert isinstance(part, Document)
    assert (part.data, part.line(("c",))) == ({"c": 1}, 3)


def test_anchors_are_merged_and_own_keys_win(write: Write) -> None:
    document = load_yaml(write("base: &base\n  x: 1\n  y: 2\nnext:\n  <<: *base\n  y: 3\n"))
    assert document.data["next"] == {"x": 1, "y": 3}
    assert (document.line(("next", "x")), document.line(("next", "y"))) == (2, 6)


def test_an_included_file_keeps_its_own_name_and_lines(write: Write) -> None:
    other = write("\nx: 1\n", "other.yaml")
    document = load_yaml(write("order: !include other.yaml\n"))
    assert document.data == {"order": {"x": 1}}
    assert document.mark(("order", "x")) == (other, 2)
    assert document.mark(("order",)) == (document.path, 1)
    assert document.part(("order",)).mark(("x",)) == (other, 2)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: [1\nb: 2\n", 2, "is not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "the key a stands twice; remove one of them"),
        ("a:\n  - {b: 1, b: 2}\n", 2, "the key b stands twice"),
        ("a: 1\n---\nb: 2\n", 2, "is not valid YAML"),
        ("a: 1\nb: *nope\n", 2, "is not valid YAML"),
        ("a: &a [*a]\n", 1, "an anchor contains itself"),
        ("a: 1\nb: \x07\n", 2, "is not valid YAML"),
        ("a: !!python/object:os.system {}\n", 1, "unknown tag"),
        ("a: !!int x\n", 1, "x is not of the type"),
        ('a: "\\ud83d"\n', 1, "holds half of a character"),
        ("a: !secret x\n", 1, "unknown tag !secret; the only one known is !include"),
        ("a: !include nowhere.yaml\n", 1, "no file nowhere.yaml"),
        ("\na: !include file.yaml\n", 2, "file.yaml includes itself"),
        ("a:\n  <<: 3\n", 2, "<< merges mappings only"),
        ("? [a]\n: 1\n", 1, "a key must be plain text"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_line(write: Write, text: str, line: int, what: str) -> None:
    assert refusal(load_yaml, write(text)).startswith(f"file.yaml:{line}: {what}")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refusal(load_yaml, tmp_path / "none.yaml") == "none.yaml: cannot be read: No such file or directory"
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xff\n")
    latin = tmp_path / "latin.yaml"
    assert refusal(load_yaml, latin) == "latin.yaml:2: is not UTF-8; save the file as UTF-8"
    (tmp_path / "deep.yaml").write_text("[" * 5000)
    assert "nested too deeply" in refusal(load_yaml, tmp_path / "deep.yaml")


def load_whole(path: Path) -> Whole:
    return load_model(path, Whole)


def test_a_model_is_read(write: Write) -> None:
    assert load_whole(write("part: {window: 72h}\n")) == Whole.model_validate({"part": {"window": "72h"}})


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("x: 1\npart: {window: 1h}\n", "file.yaml:1: x: is not a known key; known here: named, part, parts"),
        ("parts: []\npart:\n  note: x\n", "file.yaml:2: part.window: is missing; add it"),
        ("parts: []\n", "file.yaml:1: part: is missing; add it"),
        (
            "part:\n  window: 1h\n  nota: x\n",
            "file.yaml:3: part.nota: is not a known key; did you mean note?",
        ),
        (
            "part: {window: 1h}\nparts:\n  - window: 1h\n  - window: 1h\n    windo: 2h\n",
            "file.yaml:5: parts[1].windo: is not a known key; did you mean window?",
        ),
        (
            "part: {window: 1h}\nnamed:\n  a:\n    window: 1h\n    not: x\n",
            "file.yaml:5: named.a.not: is not a known key; did you mean note?",
        ),
        (
            "part:\n  window: 72\n",
            "file.yaml:2: part.window: write a span of time as 72h, 14d, 90m, 45s or 1h30m, not 72",
        ),
        (
            "part:\n  window: 1h\n  note: 5\n",
            "file.yaml:3: part.note: input should be a valid string, got 5",
        ),
        ("part: 7\n", "file.yaml:1: part: must be a mapping of keys to values, got 7"),
        ("", "file.yaml:1: must be a mapping of keys to values, got None"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(write: Write, text: str, refused: str) -> None:
    assert refusal(load_whole, write(text)) == refused


def test_every_fault_is_told_at_once(write: Write) -> None:
    refused = refusal(load_whole, write("part:\n  window: 0s\n  note: 5\n"))
    assert [line.split(": ")[0] for line in refused.splitlines()] == ["file.yaml:2", "file.yaml:3"]
