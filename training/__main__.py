"""`./dev train`: learn the classifier of messages anew and write `aftersales/triage.model`; docs/triage.md.

It needs the corpora beside the checkout. The same messages give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aftersales.triage_model import FILE
from aftersales.yamlfile import load_yaml
from training.corpora import DATA, Labelled, bitext, clinc, own, present
from training.fit import calibrated, fit, words_of_languages

FOLDER = Path(__file__).parent
CONCEPTS = FOLDER / "concepts.yaml"
LANGUAGES = FOLDER / "languages.yaml"
AS_IT_IS = [(0.0, 0.0), (1.0, 1.0)]


def train(messages: list[Labelled]) -> bytes:
    """The content of the model's file, learnt from the training part and calibrated on the calibration part."""
    learnt = [message for message in messages if message.part == "train"]
    ours = [message for message in learnt if message.corpus == "own"]
    fitted = fit(learnt, load_yaml(CONCEPTS).data, words_of_languages(ours, load_yaml(LANGUAGES).data))
    model = fitted.model({"en": AS_IT_IS, "other": AS_IT_IS})
    seen: dict[str, list[tuple[str, float, bool]]] = {"en": [], "other": []}
    for message in messages:
        if message.part == "calibrate":
            read = model.read(message.text, message.language)
            group = "en" if message.language == "en" else "other"
            seen[group].append((message.corpus, read.confidence, read.intent == message.intent))
    return fitted.as_bytes({group: calibrated(answers) for group, answers in seen.items()})


def main() -> int:
    """Entry point; returns the exit code."""
    argparse.ArgumentParser(prog="./dev train", description=__doc__).parse_args()
    if not present():
        print(f"the corpora are missing: {DATA} is no folder; without them the model stays as it is", file=sys.stderr)
        return 1
    content = train([*bitext(), *clinc(), *own()])
    FILE.write_bytes(content)
    print(f"wrote {FILE.name}, {len(content):,} bytes; measure it with ./dev bench triage")
    return 0


if __name__ == "__main__":
    sys.exit(main())
