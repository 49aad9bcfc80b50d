"""`classify`: what messages are about, one JSON object a line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from adapters.settings import Settings
from aftersales.policy import load_policy
from cli.running import Stop, run
from cli.show import emit
from worker import classifier_for


def classify(
    file: Annotated[str, typer.Argument(help="A file with one message a line; - for standard input.")],
    language: Annotated[str, typer.Option(help="What the sender's system says, such as de or zh-CN.")] = "",
) -> None:
    """Read messages: intent, confidence, whether it abstained, language, anger, urgency, and what they name."""
    run(lambda settings: _classify(settings, file, language))


async def _classify(settings: Settings, file: str, language: str) -> int:
    threshold = load_policy(settings.policy, settings.law).inquiries.threshold(language)
    reader = classifier_for(settings)
    with _opened(file) as source:
        # An object for empty lines too: both sides can be put together by their numbers.
        for line in source:
            text = line.decode("utf-8", errors="replace").rstrip("\r\n")
            emit((await reader.classify(text, threshold=threshold, language=language)).model_dump(mode="json"))
    return 0


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as fault:
        raise Stop(f"{file}: cannot be read: {fault.strerror}; name a file with one message a line, or -") from None
