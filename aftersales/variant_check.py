"""Whether the variants of letters that a policy tries are written (`§20`).

A text that no policy tries is no fault: it waits to be switched on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aftersales.faults import Fault, Loc, Mark, dotted, nearest
from aftersales.letter_check import Declared
from aftersales.letter_parts import LetterFile
from aftersales.variants import BASE, key_of

if TYPE_CHECKING:
    from aftersales.policy import Policy


def check_variants(
    folder: Path,
    files: Mapping[tuple[str, str], LetterFile],
    letters: Declared,
    policy: Policy,
    place: Callable[[Loc], Mark],
) -> Iterator[Fault]:
    """What is wrong with the variants of a policy for the letters that its cases write, each with the policy's line.

    `files` are by process and language, `place` tells where the policy has its values (`aftersales.policy.places`).
    """
    for letter, shares in policy.letters.variants.items():
        at = ("letters", "variants", letter)
        owners = [process for process, declared in letters.items() if letter in declared]
        if not owners:
            known = {name for declared in letters.values() for name in declared}
            yield _fault(place, at, "no process sends this letter", nearest(letter, known))
        for process in owners:
            for variant in (name for name in shares if name != BASE):
                key = key_of(letter, variant)
                lacking = [tag for tag in policy.letters.languages if not _has(files.get((process, tag)), key)]
                if lacking:
                    others = " and in the other languages" if len(lacking) > 1 else ""
                    path = _path(folder, files, process, lacking[0], letter)
                    remedy = f"write {key} beside {letter} in {path}{others}, or take it out"
                    yield _fault(place, (*at, variant), f"is not written in {', '.join(lacking)}", remedy)


def _has(file: LetterFile | None, key: str) -> bool:
    return file is not None and key in file.letters


def _path(folder: Path, files: Mapping[tuple[str, str], LetterFile], process: str, language: str, letter: str) -> Path:
    """Where the variant belongs: into the file that the letter itself is from, which may be the shop's own."""
    file = files.get((process, language))
    if file is None:
        return folder / process / f"{language}.yaml"
    return file.letters[letter].path if letter in file.letters else file.path


def _fault(place: Callable[[Loc], Mark], at: Loc, what: str, remedy: str) -> Fault:
    mark = place(at)
    return Fault(mark.line, dotted(at), what, remedy, mark.path)
