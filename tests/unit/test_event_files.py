"""Files of events, in every shape and with everything that can be wrong with them."""

import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersales.records import Unreadable
from cli.event_files import LONGEST, Piece, Splitter, read_pieces

EVENTS = [{"id": f"e{number}", "data": {"text": 'a "quoted" {brace} 退货\n', "list": [1, [2]]}} for number in range(9)]
SHAPES = {
    "lines": "\n".join(map(json.dumps, EVENTS)),
    "windows lines": "\r\n".join(map(json.dumps, EVENTS)) + "\r\n",
    "array": json.dumps(EVENTS, ensure_ascii=False),
    "pretty array": json.dumps(EVENTS, indent=2),
    "pretty objects": "\n".join(json.dumps(event, indent=2) for event in EVENTS),
    "byte order mark": "\ufeff" + json.dumps(EVENTS),
}


def read(data: str | bytes) -> list[Piece]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return [piece for pieces in read_pieces(stream) for piece in pieces]


def shown(pieces: Sequence[Piece]) -> list[object]:
    """Ids of what could be read, texts of what could not."""
    return [
        piece.raw.text if isinstance(piece.raw, Unreadable) else piece.raw["id"]  # type: ignore[index]
        for piece in pieces
    ]


def why(data: str | bytes) -> str:
    [reason] = [piece.raw.reason for piece in read(data) if isinstance(piece.raw, Unreadable)]
    return reason


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_events(shape: str) -> None:
    assert [piece.raw for piece in read(SHAPES[shape])] == EVENTS


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(set(SHAPES) - {"byte order mark"})), st.lists(st.integers(1, 200), min_size=1))
def test_it_does_not_matter_where_the_parts_are_cut(shape: str, lengths: list[int]) -> None:
    text, splitter, at = SHAPES[shape], Splitter(), 0
    found: list[Piece] = []
    while at < len(text):
        length = lengths[len(found) % len(lengths)]
        found += splitter.feed(text[at : at + length])
        at += length
    found += splitter.feed("", last=True)
    assert [piece.raw for piece in found] == EVENTS


def test_the_line_of_each_event_is_told() -> None:
    assert [piece.line for piece in read('{"id": "a"}\n\n{"id":\n"b"}\n[{"id": "c"},\n{"id": "d"}]')] == [1, 3, 5, 6]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": "a"}\nnot json\n{"id": "b"}', ["a", "not json", "b"]),
        ('{"id": "cut", "data": {\n{"id": "b"}\n', ['{"id": "cut", "data": {', "b"]),
        ('{"id": "cut", "data":\n{"id": "b"}\n', ['{"id": "cut", "data":', "b"]),
        ('{"id": "a", "text": "cut\n{"id": "b"}', ['{"id": "a", "text": "cut', "b"]),
        ('{\n "id": "a"\n "b"\n}\n{\n "id": "b"\n}', ['{\n "id": "a"\n "b"\n}', "b"]),
        ('[{"id": "a"}, {"id": "x", oops}, {"id": "b"}]', ["a", '{"id": "x", oops}', "b"]),
        ('[{"id": "a"}, nope, {"id": "b"}]', ["a", "nope", "b"]),
        ('}\n]\n{"id": "a"}', ["}", "]", "a"]),
        ('{"id": "nul\0"}\n{"id": "a"}', ['{"id": "nul\0"}', "a"]),
        ('{"id": "a", "x": NaN}\n{"id": "b"}', ['{"id": "a", "x": NaN}', "b"]),
        ('[{"id": "a"}', ["a", "["]),
    ],
)
def test_what_is_broken_does_not_stop_the_rest(text: str, expected: list[str]) -> None:
    assert shown(read(text)) == expected


def test_the_reason_says_where_and_what() -> None:
    assert why('{"id": "a"}\n{"id" "b"}') == "line 2: is not JSON: expecting ':' delimiter (column 7)"
    assert why(b'{"id": "a\xff"}') == "line 1: is not UTF-8 (column 10)"
    assert why('{"id": "a"}\n{"id":\n{"id": "b"}\n') == "line 2: is not JSON: it has no end (column 1)"
    assert why('[{"id": "a"}') == "line 1: the array has no end; was the file cut off?"
    assert "nested more than" in why('{"x":' + "[" * 80 + "]" * 80 + "}")
    assert "NaN is no number" in why('{"x": NaN}')


def test_a_line_without_end_costs_no_more_memory_than_the_longest_event() -> None:
    pieces = read(b'{"id": "' + b"x" * (LONGEST + 1_000_000) + b'\n{"id": "a"}')
    assert [isinstance(piece.raw, Unreadable) for piece in pieces] == [True, False]
    assert len(shown(pieces)[0]) < 100_000  # type: ignore[arg-type]


def test_nothing_gives_nothing() -> None:
    assert read(" \n\n") == []
