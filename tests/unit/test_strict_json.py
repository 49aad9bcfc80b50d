"""JSON from outside, whole bodies."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.strict_json import DEEPEST, NotJson, read_json


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b' {"a": 1}\r\n', {"a": 1}),
        (b"\xef\xbb\xbf[]", []),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\xe9\x80\x80"', "退"),
        (b"[" * DEEPEST + b"]" * DEEPEST, None),
        (b"[" + b"[]," * 100 + b"[]]", [[]] * 101),
    ],
)
def test_what_is_json_is_read(data: bytes, value: object) -> None:
    read = read_json(data)
    assert read == value or value is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1, column 1: expecting value"),
        (b'{"a":\n 1,}', "line 2, column"),
        (b"[NaN]", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b'"\xff"', "not UTF-8 at byte 2"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "more than 50 levels"),
        (b"[" * 500_000, "levels deep"),
        (b"9" * 5000, "not JSON"),
    ],
)
def test_what_is_none_is_refused_with_the_place(data: bytes, said: str) -> None:
    with pytest.raises(NotJson, match=said):
        read_json(data)


@given(st.binary(max_size=60))
def test_whatever_comes_it_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(NotJson):
        read_json(data)
