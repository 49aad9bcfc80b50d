"""`./dev classify` from outside: one object for each line, whatever the line holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def classify(
    tmp_path: Path, *arguments: str, given: bytes = b"", **settings: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", "classify", *arguments],
        input=given,
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | settings,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_gets_an_object(tmp_path: Path) -> None:
    lines = [b"Please cancel order 55102", b"", b"\xff\xfe\x00 broken", b"x" * 1_000_000, "请取消订单55102".encode()]
    done = classify(tmp_path, "-", given=b"\n".join(lines))
    assert (done.returncode, done.stderr) == (0, b"")
    read = objects(done)
    assert len(read) == len(lines)
    assert all(
        {"intent", "confidence", "abstained", "language", "angry", "entities", "urgent"} <= set(each) for each in read
    )
    assert [(read[at]["intent"], read[at]["language"]) for at in (0, 4)] == [("cancel", "en"), ("cancel", "zh")]
    assert read[0]["entities"]["order_ids"] == ["55102"]
    assert read[1]["abstained"]


def test_the_threshold_is_the_policys(tmp_path: Path) -> None:
    policy = tmp_path / "strict.yaml"
    policy.write_text(
        f"extends: {ROOT / 'policies' / 'default.yaml'}\nversion: strict\ninquiries:\n  confidence: 100 %\n"
    )
    (tmp_path / "messages.txt").write_text("Please cancel order 55102\n")
    read = objects(classify(tmp_path, "messages.txt", AFTERSALES_POLICY=str(policy)))
    assert [each["abstained"] for each in read] == [True]


def test_the_shops_own_order_ids_are_known(tmp_path: Path) -> None:
    read = objects(classify(tmp_path, "-", given=b"about KX/77 please", AFTERSALES_ORDER_IDS=r"KX/\d+"))
    assert read[0]["entities"]["order_ids"] == ["KX/77"]


def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path) -> None:
    for done, said in (
        (classify(tmp_path, "nowhere.txt"), b"nowhere.txt: cannot be read"),
        (classify(tmp_path, "-", AFTERSALES_CLASSIFIER_URL="x"), b"AFTERSALES_CLASSIFIER_URL: 'x' is no address"),
        (classify(tmp_path, "-", AFTERSALES_ORDER_IDS="("), b"AFTERSALES_ORDER_IDS: '(' is no regular expression"),
    ):
        assert done.returncode == 1
        assert said in done.stderr
        assert b"Traceback" not in done.stderr
