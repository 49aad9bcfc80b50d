"""What must hold of every process, because breaking it breaks cases silently."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from temporalio import workflow

import workflows
from adapters.sandbox import PURE
from aftersales.events import TYPES, Event
from aftersales.letter_files import read_letters
from aftersales.opening import CaseOpened, Reply
from workflows.case import Case

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT.parent / "shared" / "spec" / "processes.md"
processes = pytest.mark.parametrize("process", workflows.ALL, ids=lambda process: process.process)


def _nodes(process: type[Case]) -> Iterator[ast.AST]:
    """The code of a process and of the modules that it takes functions from."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(process) or process))
    yield from ast.walk(tree)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and re.fullmatch(r"workflows\.(?!case$|values$)\w+", node.module or ""):
            yield from ast.walk(ast.parse(inspect.getsource(import_module(node.module or ""))))


def _calls(process: type[Case], name: str) -> Iterator[ast.Call]:
    """The calls of `self.<name>(…)` in a process, and of `case.<name>(…)` in its modules."""
    for node in _nodes(process):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


@processes
def test_a_process_is_its_own_class_straight_below_case(process: type[Case]) -> None:
    assert process.__bases__ == (Case,)
    assert inspect.getmodule(process).__name__ == f"workflows.{process.process.replace('-', '_')}"  # type: ignore[union-attr]
    assert workflow._Definition.must_from_class(process).name == process.process


@processes
def test_run_is_on_the_concrete_class_and_takes_the_envelope(process: type[Case]) -> None:
    run = vars(process)["run"]
    assert hasattr(run, "__temporal_workflow_run")
    assert list(inspect.signature(run, eval_str=True).parameters.values())[1].annotation is CaseOpened
    init = inspect.signature(Case.__init__, eval_str=True)
    assert list(init.parameters.values())[1].annotation is CaseOpened


@processes
def test_run_reads_like_a_paragraph(process: type[Case]) -> None:
    lines = inspect.getsource(vars(process)["run"]).splitlines()
    assert len(lines) <= 27, "a run of some 25 lines still reads like its rule; give what is behind it a name"


@processes
def test_nothing_inherited_is_overridden(process: type[Case]) -> None:
    """An overridden update loses its validator silently, an overridden __init__ stops being the workflow's init."""
    inherited = {name for name in vars(Case) if not name.startswith("__")} - {
        "process",
        "LETTERS",
        "OPTIONS",
        "HEARS",
        "REOPENS",
        "WAITS",
    }
    assert not inherited & set(vars(process))
    assert "__init__" not in vars(process)


@processes
def test_handlers_say_in_the_web_ui_what_they_take(process: type[Case]) -> None:
    definition = workflow._Definition.must_from_class(process)
    assert set(definition.updates) == {"decide", "extend"}
    assert all(update.description and update.validator for update in definition.updates.values())
    assert all(signal.description for signal in definition.signals.values())


@processes
def test_letters_are_declared_with_what_they_are_given(process: type[Case]) -> None:
    sent: set[str] = set()
    for verb in ("send", "ask", "remind"):
        for call in _calls(process, verb):
            if not isinstance(call.args[0], ast.Constant):
                continue
            letter = str(call.args[0].value)
            sent.add(letter)
            if all(keyword.arg for keyword in call.keywords):
                given = {keyword.arg for keyword in call.keywords} - ({"by"} if verb != "send" else set())
                assert given == process.LETTERS[letter], letter
            if verb != "send":
                assert process.LETTERS[f"{letter}-reminder"] <= process.LETTERS[letter]
                sent.add(f"{letter}-reminder")
    source = inspect.getsource(process)
    for letter in process.LETTERS:
        assert letter in sent or f'"{letter}"' in source.partition("@workflow.run")[2], f"{letter} is never sent"


@processes
def test_an_operator_reads_what_each_option_does(process: type[Case]) -> None:
    """An option is written where it is asked for, is the way instead of a command, or a choice of a letter."""
    file = ROOT / "templates" / process.process / "en.yaml"
    letters = read_letters(file).letters.values() if process.LETTERS else ()
    asked = {choice for letter in letters for choice in letter.choices} | _read_against(process)
    functions = [node for node in _nodes(process) if isinstance(node, ast.AsyncFunctionDef)]
    asking = {"decision"} | {one.name for one in functions if one.args.vararg and one.args.vararg.arg == "options"}
    for function in functions:
        if function.name not in asking:
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            for call in calls:
                if isinstance(call.func, ast.Attribute) and call.func.attr in asking:
                    asked |= set(_options(function, call))
                asked |= {_word(node) for way in call.keywords if way.arg == "instead" for node in ast.walk(way.value)}
    explained = {option for option, does in process.OPTIONS.items() if does}
    assert asked - {""} <= explained, "an option that no operator can understand"
    assert explained <= asked, "an option that is never asked for"


def _read_against(process: type[Case]) -> set[str]:
    """What the process itself has messages read against, where no letter offers it; an operator may be asked for it."""
    assigned = [node for node in _nodes(process) if isinstance(node, ast.Assign)]
    names = [_name(node.value) for node in assigned if any(getattr(to, "attr", "") == "choices" for to in node.targets)]
    return {choice for name in names for choice in getattr(inspect.getmodule(process), name, ())}


def _options(function: ast.AsyncFunctionDef, call: ast.Call) -> Iterator[str]:
    """The options of a call of `decision`, also those that the function has given a name before."""
    for given in call.args[1:]:
        names = {node.id for node in ast.walk(given) if isinstance(node, ast.Name)} - {"self"}
        yield from (_word(node) for node in ast.walk(given))
        for line in ast.walk(function):
            if isinstance(line, ast.Assign) and names & {_name(target) for target in line.targets}:
                yield from (_word(node) for node in ast.walk(line.value))


def _word(node: ast.AST) -> str:
    """A constant that is one word, such as an option; else nothing."""
    value = node.value if isinstance(node, ast.Constant) else ""
    return value if isinstance(value, str) and re.fullmatch(r"[a-z_]+", value) else ""


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


@processes
def test_facts_that_are_awaited_reach_the_case(process: type[Case]) -> None:
    assert all(issubclass(kind, Event) for kind in process.HEARS)
    names = {kind.__name__ for kind in process.HEARS} | {Reply.__name__}
    known = {kind.__name__ for kind in TYPES.values()} | {Reply.__name__}
    for verb in ("next", "ask", "remind"):
        for call in _calls(process, verb):
            awaited = {arg.id for arg in call.args if isinstance(arg, ast.Name)} & known
            assert awaited <= names, f"line {call.lineno} awaits what HEARS does not name"


@processes
def test_effects_go_through_the_verbs_and_nothing_else(process: type[Case]) -> None:
    source = inspect.getsource(inspect.getmodule(process) or process)
    for forbidden in (
        "execute_activity",
        "start_activity",
        "local_activity",
        "sleep(",
        "wait_condition",
        "datetime.now",
    ):
        assert forbidden not in source, f"{forbidden} in a process; use the verbs of Case"


@processes
def test_the_docstring_names_its_rule(process: type[Case]) -> None:
    assert re.search(r"`spec/processes\.md` §\d+", process.__doc__ or "")


@pytest.mark.skipif(not SPEC.exists(), reason="the rules lie beside the checkout and are not here")
@processes
def test_letters_and_results_carry_the_names_of_the_rules(process: type[Case]) -> None:
    row = next(
        line
        for line in SPEC.read_text("utf-8").splitlines()
        if line.startswith(f"| {process.process} |") and line.count("|") == 4
    )
    letters, results = ({name.strip() for name in cell.split(",")} for cell in row.split("|")[2:4])
    families = {name.partition("<")[0] for name in letters if "<" in name}
    letters = {name for name in letters if "<" not in name}
    assert letters - {"–"} <= set(process.LETTERS), "a letter of the rules is missing"
    assert all(any(name.startswith(family) for name in process.LETTERS) for family in families)
    closed = {
        node.value
        for verb in ("close", "finish")
        for call in _calls(process, verb)
        for node in ast.walk(call.args[0] if call.args else ast.Constant(value=None))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert results <= closed, "a result of the rules is never reached"
    assert {name for name in closed if "_" in name or name in results} <= results, "a result that the rules do not have"


@pytest.mark.parametrize("path", sorted(Path(workflows.__path__[0]).glob("*.py")), ids=lambda path: path.stem)
def test_workflow_code_asks_neither_clock_nor_chance(path: Path) -> None:
    """Workers run without the sandbox, and rehearsals, which run in it, do not take every branch."""
    tree = ast.parse(path.read_text("utf-8"))
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in ([ast.alias(node.module or "")] if isinstance(node, ast.ImportFrom) else node.names)
    }
    assert imported.isdisjoint(
        {"os", "pathlib", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid"}
    )
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _owner(node) != "workflow"}
    assert called.isdisjoint({"now", "utcnow", "today", "sleep"})
    assert not {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & {"open", "input"}


def test_the_sandbox_passes_no_workflow_code_through() -> None:
    assert not [name for name in PURE if name.split(".")[0] == "workflows"]


def _owner(node: ast.Attribute) -> str:
    return node.value.id if isinstance(node.value, ast.Name) else ""


def test_the_toolkit_stays_small() -> None:
    """One screenful more and nobody reads it; what only one process uses belongs into that process."""
    code = [
        line
        for line in inspect.getsource(Case).splitlines()
        if line.strip() and not line.strip().startswith(("#", '"""'))
    ]
    assert len(code) <= 250
