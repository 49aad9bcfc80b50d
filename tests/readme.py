"""What a document shows, run as a newcomer would: its blocks in turn, in one shell, in a folder like a checkout."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
import uuid
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from adapters.settings import ROOT

WITHIN = 120.0
"""Seconds that a command has, and a program that stays until it says what it is to say."""
STAYS = ("./dev up", "./dev counterpart")
"""Commands that go on until they are stopped; the document has them in terminals of their own."""
LOOKS = ("./dev events", "./dev cases", "./dev case ", "./dev check --live")
"""Commands that only look: what they are to show may need a moment."""


class Block(NamedTuple):
    """A fenced block: its language and its text."""

    language: str
    text: str


def blocks(chapter: str, document: str = "README.md") -> list[Block]:
    """The fenced blocks below a heading, up to the next one of its level or above."""
    found: list[Block] = []
    inside, fence, lines = False, "", list[str]()
    for line in (ROOT / document).read_text("utf-8").splitlines(keepends=True):
        if fence:
            if line != "```\n":
                lines.append(line)
            else:
                found += [Block(fence, "".join(lines))] if inside else []
                fence, lines = "", []
        elif line.startswith("```"):
            fence = line.strip("`\n")
        elif re.match(r"#+ ", line):
            level = len(line) - len(line.lstrip("#"))
            inside = line == f"{chapter}\n" or (inside and level > len(chapter) - len(chapter.lstrip("#")))
    assert found, f"{document} has no {chapter} with blocks"
    return found


def checkout(folder: Path) -> Path:
    """A folder in which the commands of a checkout work, and what they write is nobody else's."""
    for name in ("dev", ".venv", "examples", "policies", "templates"):
        (folder / name).symlink_to(ROOT / name)
    return folder


class Shell:
    """A shell in a folder. In all that it is given, and expects, `instead` is put in place of what a document says."""

    def __init__(self, process: Process, folder: Path, instead: Mapping[str, str]) -> None:
        self._process, self.folder, self._instead = process, folder, instead
        self._staying: dict[str, int] = {}
        self.heard: list[str] = []
        """What the blocks without prompts have printed, of which the document shows nothing."""

    async def read(self, block: Block) -> None:
        """Do what a block shows: run it, or write the file that its first line names."""
        text = self._put(block.text)
        match block.language:
            case "sh":
                self.heard.append(await self.run(text))
            case "console":
                for command, expected in _commands(text):
                    await self._shown(command, expected)
            case "python":
                name, _, content = text.partition("\n")
                (self.folder / name.removeprefix("# ")).write_text(content)
            case other:
                raise AssertionError(f"nobody knows what to do with {other}")

    async def run(self, command: str) -> str:
        """What a command prints; it must end well."""
        code, said = await self._answer(command)
        print(f"$ {command}\n{said}")  # what pytest shows of a failed test
        assert code == 0, f"{command}\nended with {code}:\n{said}"
        return said

    async def stop(self, which: str) -> None:
        """Stop a program that stays, as Ctrl-C does."""
        for command, pid in list(self._staying.items()):
            if command.startswith(which):
                del self._staying[command]
                await self._answer(f"kill -TERM {pid}; wait {pid}")

    async def close(self) -> None:
        """Stop all that still runs."""
        for pid in self._staying.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for pid in self._staying.values():
            await self._answer(f"wait {pid}")
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()

    def said(self, which: str) -> str:
        """What a program that stays has printed."""
        return "".join(self._log(command).read_text() for command in self._staying if command.startswith(which))

    async def _shown(self, command: str, expected: str) -> None:
        if command.startswith(STAYS):
            await self.stop(command.split(" --", maxsplit=1)[0])
            self._log(command).touch()
            self._staying[command] = int(
                await self.run(f"{command} >{shlex.quote(str(self._log(command)))} 2>&1 & echo $!")
            )
            await self._until(lambda: self._ready(command, expected))
        elif command.startswith(LOOKS):
            await self._until(lambda: self._looked(command, expected))
        else:
            said = await self.run(command)
            assert not expected or fits(expected, said), f"{command}\nsaid:\n{said}\nand not:\n{expected}"

    async def _looked(self, command: str, expected: str) -> str:
        _, said = await self._answer(command)
        print(f"$ {command}\n{said}")
        return "" if fits(expected, said, anywhere=True) else said or "nothing"

    async def _ready(self, command: str, expected: str) -> str:
        said = self._log(command).read_text()
        over = "Send events" in said if command.startswith("./dev up") else fits(expected, said)
        return "" if over else said or "nothing"

    async def _until(self, done: Callable[[], Awaitable[str]]) -> None:
        late = asyncio.get_running_loop().time() + WITHIN
        while left := await done():
            assert asyncio.get_running_loop().time() < late, f"it did not come about; there is\n{left}"
            await asyncio.sleep(0.3)

    async def _answer(self, command: str) -> tuple[int, str]:
        end = uuid.uuid4().hex
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\nprintf '\\n%s %s\\n' {end} $?\n".encode())
        async with asyncio.timeout(WITHIN):
            await self._process.stdin.drain()
            lines: list[str] = []
            while not (line := (await self._process.stdout.readline()).decode()).startswith(end):
                assert line, "the shell has ended"
                lines.append(line)
        return int(line.split()[1]), "".join(lines)

    def _log(self, command: str) -> Path:
        return self.folder / f"{'-'.join(re.findall(r'[a-z]+', command)[:2])}.log"

    def _put(self, text: str) -> str:
        for old, new in self._instead.items():
            text = text.replace(old, new)
        return text


@asynccontextmanager
async def shell(folder: Path, instead: Mapping[str, str], **environment: str) -> AsyncIterator[Shell]:
    """A shell in a folder, without settings of ours around it."""
    ours = ("AFTERSALES_", "TEMPORAL_", "AWS_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = await asyncio.create_subprocess_exec(
        *("bash", "--norc"),
        cwd=folder,
        env={**kept, "NO_PROXY": "127.0.0.1", **environment},
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        limit=2**20,
    )
    opened = Shell(process, folder, instead)
    try:
        yield opened
    finally:
        await opened.close()


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console, each with what it shows."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown.strip()


def fits(expected: str, said: str, *, anywhere: bool = False) -> bool:
    """Whether an output is what is expected, where `…` stands for what is left out: whole lines, or a part of one."""
    lines, at, loose = said.strip().splitlines(), 0, anywhere
    for wanted in expected.splitlines():
        if wanted == "…":
            loose = True
            continue
        pattern = re.compile(".*".join(map(re.escape, re.split(" ?… ?", wanted))))
        last = len(lines) if loose else min(at + 1, len(lines))
        found = next((place for place in range(at, last) if pattern.fullmatch(lines[place].strip())), None)
        if found is None:
            return False
        at, loose = found + 1, anywhere
    return loose or at == len(lines)
