"""`./dev` in a small checkout of its own, with a uv that only writes down what it is asked to do."""

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from cli import app

ROOT = Path(__file__).parents[2]
VERBS = [
    *("demo", "up", "serve", "counterpart", "db", "send", "events", "cases", "case", "money", "report", "route"),
    *("decide", "extend", "classify"),
    *("processes", "check", "rehearse", "adopt"),
    *("test", "lint", "fmt", "bench", "train", "lock", "help"),
]
UV_LOCK = "uv==1.0 \\\n    --hash=sha256:00\n"
UV = """#!/bin/sh
echo "$1 $2" >>"{root}/uv.log"
echo "$UV_DEFAULT_INDEX|$UV_INDEX|$UV_FIND_LINKS" >"{root}/uv.sources"
case $1 in
    venv) mkdir -p "{root}/.venv/bin"; ln -sf "{python}" "{root}/.venv/bin/python" ;;
    pip) sleep 0.3; [ ! -f "{root}/broken" ] ;;
esac
"""
# As `pip config list` writes it, a setting of the environment and a value over two lines among them.
PIP_CONFIG = r"""
:env:.index-url='file:///mirror'
global.extra-index-url='\nfile:///one\nfile:///two'
global.find-links='/a /b'
global.index-url='file:///overridden'
"""
CLI = "import os, sys; print(sys.argv[1:], os.getcwd(), sys.path[0])"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a checkout"
    tools = root / ".dev" / "uv" / "bin"
    tools.mkdir(parents=True)
    (root / "cli").mkdir()
    (root / "cli" / "__init__.py").touch()
    (root / "cli" / "__main__.py").write_text(CLI)
    (root / "dev").write_text((ROOT / "dev").read_text())
    (root / "dev").chmod(0o755)
    (root / "requirements.lock").write_text(f"{UV_LOCK}    # via aftersales\nzebra==1 \\\n    --hash=sha256:01\n")
    (root / ".dev" / "uv.lock").write_text(UV_LOCK)
    (tools / "python").symlink_to(base_python())
    (tools / "uv").write_text(UV.format(root=root, python=base_python()))
    (tools / "uv").chmod(0o755)
    return root


def base_python() -> str:
    """The interpreter that this environment was made from."""
    return os.path.realpath(sys.executable)


def dev(
    root: Path, *arguments: str, cwd: Path | None = None, python: str | None = base_python()
) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "AFTERSALES_PYTHON"}
    if python:
        environment["AFTERSALES_PYTHON"] = python
    command = ["sh", str(root / "dev"), *arguments]
    return subprocess.run(command, cwd=cwd or root, env=environment, capture_output=True, text=True, check=False)


def uv_calls(root: Path) -> list[str]:
    log = root / "uv.log"
    calls = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [call.split()[1] if call.startswith("pip") else "venv" for call in calls]


def test_help_explains_every_verb_in_a_line_without_installing(checkout: Path) -> None:
    shown = dev(checkout, "help")
    assert re.findall(r"^  ([a-z]+)  ", shown.stdout, flags=re.MULTILINE) == VERBS
    assert dev(checkout).stdout == shown.stdout
    assert uv_calls(checkout) == []


def test_every_verb_of_the_command_line_is_run(checkout: Path) -> None:
    for verb in app.VERBS:
        ran = dev(checkout, verb, "--all")
        assert ran.stdout.startswith(f"['{verb}', '--all']"), ran.stderr


def test_an_unknown_verb_is_refused(checkout: Path) -> None:
    refused = dev(checkout, "dmeo")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'dmeo'" in refused.stderr


def test_the_first_start_installs_and_says_so_in_one_line(checkout: Path) -> None:
    first = dev(checkout, "cases")
    assert first.returncode == 0
    assert uv_calls(checkout) == ["venv", "sync"]
    assert first.stderr == f"dev: first start, installing into {checkout}/.venv\n"


def test_the_second_start_is_quick_quiet_and_without_uv(checkout: Path) -> None:
    dev(checkout, "cases")
    uv_calls(checkout)
    began = time.monotonic()
    second = dev(checkout, "cases", python=None)
    assert time.monotonic() - began < 3
    assert (second.returncode, second.stderr) == (0, "")
    assert uv_calls(checkout) == []


def test_arguments_and_working_directory_reach_the_verb(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    # A module of the caller's folder is not taken for ours.
    (elsewhere / "cli").mkdir(parents=True)
    (elsewhere / "cli" / "__init__.py").touch()
    (elsewhere / "cli" / "__main__.py").write_text("print('wrong one')")
    shown = dev(checkout, "send", "my events.json", "--json", cwd=elsewhere)
    assert shown.stdout == f"['send', 'my events.json', '--json'] {elsewhere} {checkout}\n"


def test_it_may_be_called_through_a_link(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "dev").symlink_to(checkout / "dev")
    assert str(checkout) in dev(tmp_path, "cases").stdout


def test_a_changed_lock_updates_the_environment(checkout: Path) -> None:
    dev(checkout, "cases", python=None)
    uv_calls(checkout)
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("zoo==1 \\\n    --hash=sha256:02\n")
    changed = dev(checkout, "cases", python=None)
    assert uv_calls(checkout) == ["sync"]
    assert "requirements.lock or Python changed" in changed.stderr


def test_another_python_makes_another_environment(checkout: Path, tmp_path: Path) -> None:
    dev(checkout, "cases", python=None)
    uv_calls(checkout)
    other = tmp_path / "python"
    other.symlink_to(base_python())
    dev(checkout, "cases", python=str(other))
    assert uv_calls(checkout) == ["venv", "sync"]


def test_a_failed_install_is_tried_again(checkout: Path) -> None:
    (checkout / "broken").touch()
    failed = dev(checkout, "cases", python=None)
    assert failed.returncode != 0
    assert failed.stdout == ""
    (checkout / "broken").unlink()
    uv_calls(checkout)
    assert dev(checkout, "cases", python=None).returncode == 0
    assert uv_calls(checkout) == ["sync"]


def test_two_at_the_same_time_install_once(checkout: Path) -> None:
    command = ["sh", str(checkout / "dev"), "cases"]
    environment = os.environ | {"AFTERSALES_PYTHON": base_python()}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert "['cases']" in process.communicate()[0]
        assert process.returncode == 0
    assert uv_calls(checkout) == ["venv", "sync"]


def test_pip_settings_of_the_machine_hold_for_uv(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    pip = checkout / ".dev" / "uv" / "bin" / "python"
    pip.unlink()
    pip.write_text(f"#!/bin/sh\ncat <<'END'\n{PIP_CONFIG}END\n")
    pip.chmod(0o755)
    dev(checkout, "cases")
    sources = (checkout / "uv.sources").read_text()
    assert sources == "file:///mirror|file:///one file:///two|/a,/b\n"


def test_an_asked_for_python_that_does_not_work_is_an_error(checkout: Path) -> None:
    failed = dev(checkout, "cases", python="/nowhere/python3")
    assert failed.returncode == 1
    assert failed.stderr == ("dev: AFTERSALES_PYTHON=/nowhere/python3 is not a working Python 3.11, 3.12 or 3.13.\n")


def test_debian_without_python3_venv_is_told_what_to_install(checkout: Path, tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec "{base_python()}" "$@"\n')
    bare.chmod(0o755)
    failed = dev(checkout, "cases", python=str(bare))
    assert failed.returncode == 1
    assert "apt-get install python3-venv" in failed.stderr


def test_the_lock_has_hashes_and_names_no_place() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"^-|@ |file:|[= ][./~]", lock, flags=re.MULTILINE)
    entries = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_lock_holds_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z]+\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    declared = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["embedded"],
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[\[><=]", line)[0].replace(".", "-") for line in declared}
    assert names <= locked
