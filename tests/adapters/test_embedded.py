import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from adapters import embedded, preflight
from adapters.embedded import EmbeddedServer, ServerError

ORDER = SearchAttributeKey.for_keyword("OrderId")
DEADLINE = SearchAttributeKey.for_datetime("Deadline")


def server(
    folder: Path, *names: str, file: bool = False, port: int | None = None, ui_port: int | None = None
) -> EmbeddedServer:
    kinds = {"OrderId": "Keyword", "Deadline": "Datetime", "Angry": "Bool", "Tags": "KeywordList"}
    return EmbeddedServer(
        log_file=folder / "server.log",
        db_file=folder / "temporal.db" if file else None,
        search_attributes={name: kinds[name] for name in names or kinds},
        port=port,
        ui_port=ui_port,
    )


async def start(client: Client, case: str) -> None:
    """A run that nobody works on, found by its search attribute."""
    await client.start_workflow(
        "Waiting",
        id=case,
        task_queue="nobody",
        search_attributes=TypedSearchAttributes([SearchAttributePair(ORDER, "A-1")]),
    )


async def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        await asyncio.sleep(0.05)
    return False


async def test_it_serves_while_entered_and_is_gone_afterwards(tmp_path: Path) -> None:
    async with server(tmp_path) as running:
        client = await Client.connect(running.address)
        answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert answer.namespace_info.name == "default"
        await start(client, "case")
        host, port = running.ui_url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        # Of its own group: Ctrl-C at a terminal is sent to the foreground group only.
        assert os.getpgid(running.pid) != os.getpgid(0)
    assert await running.wait() == 0
    assert await gone(running.pid)


async def test_a_file_goes_on_where_it_was_and_learns_new_search_attributes(tmp_path: Path) -> None:
    async with server(tmp_path / "new" / "folder", "OrderId", file=True) as running:
        await start(await Client.connect(running.address), "kept")
    async with server(tmp_path / "new" / "folder", "OrderId", "Deadline", file=True) as running:
        client = await Client.connect(running.address)
        described = await client.get_workflow_handle("kept").describe()
        assert described.typed_search_attributes[ORDER] == "A-1"
        found = [run.id async for run in client.list_workflows("OrderId = 'A-1' AND Deadline IS NULL")]
        assert found == ["kept"]


async def test_an_empty_file_of_a_killed_first_start_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").touch()
    async with server(tmp_path, file=True) as running:
        assert running.pid


async def test_a_second_server_on_the_same_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "RELEASED_WITHIN", 0.2)
    async with server(tmp_path, file=True):
        with pytest.raises(ServerError, match=r"another server is using .*temporal\.db"):
            await server(tmp_path, file=True).__aenter__()


@pytest.mark.parametrize(
    ("flag", "make"),
    [
        ("--port", lambda folder, port: server(folder, port=port)),
        ("--ui-port", lambda folder, port: server(folder, ui_port=port)),
    ],
)
async def test_a_taken_port_is_named_with_its_flag(
    tmp_path: Path, flag: str, make: Callable[[Path, int], EmbeddedServer]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"port {port} .*in use.* {flag}$"):
            await make(tmp_path, port).__aenter__()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match=r"cannot write .*file/data/server\.log.*--data"):
        await server(tmp_path / "file" / "data", file=True).__aenter__()


async def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    me = os.geteuid()
    if me == 0:
        # Root may write everywhere, so for this moment we are nobody.
        os.seteuid(65534)
    try:
        with pytest.raises(ServerError, match=r"cannot write .*Permission denied"):
            await server(tmp_path, file=True).__aenter__()
    finally:
        os.seteuid(me)


async def test_a_server_that_ends_while_starting_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").write_text("this is no database")
    with pytest.raises(ServerError, match=r"ended while starting: .*file is not a database"):
        await server(tmp_path, file=True).__aenter__()


async def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match=r"aftersales\[embedded\]"):
        await server(tmp_path).__aenter__()


async def test_leaving_after_the_server_was_killed_is_quiet(tmp_path: Path) -> None:
    async with server(tmp_path) as running:
        os.kill(running.pid, signal.SIGKILL)
        assert await running.wait() == -signal.SIGKILL


async def test_it_ends_with_a_killed_parent(tmp_path: Path) -> None:
    program = f"""
import asyncio, pathlib
from adapters.embedded import EmbeddedServer
async def main():
    folder = pathlib.Path({str(tmp_path)!r})
    server = EmbeddedServer(log_file=folder / "log", db_file=folder / "db", search_attributes={{}})
    async with server:
        print(server.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    root = Path(__file__).parents[2]
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE, cwd=root)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.kill()
    # Its successor on the same file waits for it.
    successor = EmbeddedServer(log_file=tmp_path / "log", db_file=tmp_path / "db", search_attributes={})
    async with successor:
        assert await gone(pid)
    await parent.wait()


async def test_a_port_that_somebody_took_meanwhile_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = {"--port": somebody.getsockname()[1]}
        picks = iter([taken, {}])
        monkeypatch.setattr(
            embedded, "pick_ports", lambda host, wanted: preflight.pick_ports(host, wanted) | next(picks)
        )
        async with EmbeddedServer(log_file=tmp_path / "server.log", search_attributes={}) as server:
            assert server.address != f"127.0.0.1:{taken['--port']}"
            await Client.connect(server.address)


def test_free_ports_are_none_of_those_that_the_server_takes_by_itself() -> None:
    lowest, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ports = preflight.pick_ports("127.0.0.1", dict.fromkeys(map(str, range(20))))
    assert len({*ports.values()}) == 20
    assert max(ports.values()) < lowest
