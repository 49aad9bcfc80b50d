"""The workflow `kpi-report` on a real server: by a schedule, by hand, late, again, with staff that is hard to reach."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Replayer, Worker, WorkerDeploymentConfig

from activities.reports import Reports
from activities.staff_letters import StaffLetters
from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer
from adapters.outbox import Outbox
from adapters.reports import ReportsFolder
from adapters.sandbox import sandbox
from adapters.schedules import keep, keep_schedules, report_schedule
from adapters.settings import Settings
from adapters.temporal import connect, plugin, type_name
from aftersales.letters import Books
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.ports import Trying
from aftersales.report_runs import ReportRun, RunDone, Told
from aftersales.reporting import Reporting
from aftersales.sending import NotSent, Outgoing, Undeliverable
from tests.books import book
from tests.known_figures import KnownFigures, warned
from worker import DEPLOYMENT, build_id, make_current
from workflows import attributes
from workflows.kpi_report import KpiReport

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
STAFF = [
    {"name": "Anna", "email": "anna@lumen.example", "language": "de"},
    {"name": "Bo", "email": "bo@lumen.example", "language": "zh-CN"},
]


@dataclass
class Mail:
    """A channel into a folder that at first turns some people away."""

    folder: Outbox
    away: dict[str, list[Exception]] = field(default_factory=dict)
    out: list[tuple[str, str]] = field(default_factory=list)

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        """Deliver, unless told otherwise."""
        if waiting := self.away.get(letter.to.name):
            raise waiting.pop(0)
        self.out.append((letter.to.name, letter.rendered.subject))
        await trying()
        return await self.folder.deliver(letter, trying)


@dataclass
class Plant:
    """A worker for the report, with figures and staff that the test knows."""

    client: Client
    store: Store
    figures: KnownFigures
    mail: Mail
    folder: Path
    queue: str = "reports"

    async def run(self, kind: str = "daily", at: datetime = AT, id: str = "by-hand") -> RunDone:
        """A run by hand, to its end."""
        asked = ReportRun.model_validate({"kind": kind, "zone": "Europe/Berlin", "at": at})
        return await self.client.execute_workflow(KpiReport.run, asked, id=id, task_queue=self.queue)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The worker, of the current build: the report goes on with the newest one, which asks for versions."""
        async with self._worker():
            await make_current(self.client)
            yield

    def _worker(self) -> Worker:
        settings = Settings()
        policy = load_policy(settings.policy, settings.law)
        report = Reporting.model_validate({**policy.report.model_dump(), "staff": STAFF})
        policies = Policies(policy.model_copy(update={"report": report}))
        writers = {"html": lambda report: report.figures.period.name, "json": lambda report: report.model_dump_json()}
        maker = ReportsFolder(self.figures, self.store.warnings, policies, self.folder / "reports", writers)
        reports = Reports(maker)
        staff = StaffLetters(
            Books(book()), self.mail, self.store.warnings, policies, domain="lumen.example", shelf=maker.shelf
        )
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[KpiReport],
            activities=[reports.shops, reports.make, reports.compare, staff.tell],
            deployment_config=WorkerDeploymentConfig(
                version=WorkerDeploymentVersion(DEPLOYMENT, build_id()), use_worker_versioning=True
            ),
        )


@asynccontextmanager
async def serving(folder: Path, **options: Any) -> AsyncIterator[Client]:
    kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    async with EmbeddedServer(log_file=folder / "server.log", search_attributes=kinds, **options) as server:
        yield await connect(server.address)


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with serving(tmp_path_factory.mktemp("server")) as client:
        yield client


@pytest.fixture
async def plant(client: Client, tmp_path: Path) -> AsyncIterator[Plant]:
    async with open_store(f"sqlite:///{tmp_path}/aftersales.db") as store:
        plant = Plant(client, store, KnownFigures("lumen", "Über/Shop"), Mail(Outbox(tmp_path / "letters")), tmp_path)
        async with plant.working():
            yield plant


async def test_every_shop_and_all_have_a_report_of_the_day_before_and_a_repeat_is_the_same(plant: Plant) -> None:
    done = await plant.run()
    assert done.period == "2026-11-22"
    assert [each.shop for each in done.reports] == ["", "lumen", "Über/Shop"]
    assert {as_of for _, _, as_of in plant.figures.asked} == {AT}
    files = {path.relative_to(plant.folder / "reports").as_posix(): path.read_bytes() for path in written(plant)}
    assert set(files) > {"all-shops/2026-11-22.html", "all-shops/2026-11-22.json", "lumen/2026-11-22.html"}
    assert len(files) == 6
    await plant.run(id="again")
    assert {
        path.relative_to(plant.folder / "reports").as_posix(): path.read_bytes() for path in written(plant)
    } == files


def written(plant: Plant) -> list[Path]:
    return sorted((plant.folder / "reports").glob("*/*"))


async def test_the_month_before_is_reported_without_comparing_limits(plant: Plant) -> None:
    plant.figures.over[""] = {AT: [warned("shoes")]}
    done = await plant.run("monthly", datetime(2026, 12, 1, 5, tzinfo=UTC))
    assert (done.period, done.told) == ("2026-11", None)
    assert plant.mail.out == []


async def test_staff_is_told_once_of_a_limit_in_their_language(plant: Plant) -> None:
    plant.figures.over[""] = {AT: [warned("shoes")], AT + timedelta(days=2): []}
    done = await plant.run()
    assert done.told == Told(sent=2)
    assert plant.mail.out == [
        ("Anna", "Retourenquote über ihrer Grenze: shoes"),
        ("Bo", "退货率超过限值：shoes"),
    ]
    for day in (0, 1, 2, 0):
        assert (await plant.run(at=AT + timedelta(days=day), id=f"day-{day}")).told == Told(sent=0)
    assert await plant.store.warnings.open() == []
    mails = "".join(path.read_text("utf-8") for path in (plant.folder / "letters").glob("*/*.eml"))
    assert "4,12\xa0%" in mails
    assert f"{plant.folder}/reports/all-shops" in mails


async def test_who_cannot_be_reached_now_is_tried_again_and_others_get_no_second_mail(plant: Plant) -> None:
    plant.figures.over["lumen"] = {AT: [warned("return-terms.short", shop="lumen", kind="claims")]}
    plant.mail.away = {"Bo": [NotSent("greylisted", retry_after=0.1), NotSent("greylisted", retry_after=0.1)]}
    done = await plant.run()
    assert done.told == Told(sent=2)
    assert [name for name, _ in plant.mail.out] == ["Anna", "Bo"]
    assert await plant.store.warnings.stopped("lumen") == {"return-terms.short"}
    assert await plant.store.warnings.untold() == []


async def test_an_address_that_is_none_holds_nobody_up_and_is_told(plant: Plant) -> None:
    plant.figures.over[""] = {AT: [warned("shoes")]}
    plant.mail.away = {"Anna": [Undeliverable("no such mailbox")]}
    done = await plant.run()
    assert done.told == Told(sent=1, problems=("Anna: no such mailbox",))
    assert await plant.store.warnings.untold() == []


async def test_while_nobody_can_be_reached_the_warning_waits_for_the_next_run(plant: Plant) -> None:
    plant.figures.over[""] = {AT: [warned("shoes")]}
    plant.mail.away = {name: [Undeliverable("no such mailbox")] for name in ("Anna", "Bo")}
    done = await plant.run()
    assert done.told
    assert done.told.sent == 0
    assert len(await plant.store.warnings.untold()) == 1
    assert (await plant.run(at=AT + timedelta(days=1), id="next")).told == Told(sent=2)


async def test_a_run_replays_in_the_sandbox(plant: Plant) -> None:
    await plant.run(id="replayed")
    history = await plant.client.get_workflow_handle("replayed").fetch_history()
    await Replayer(workflows=[KpiReport], plugins=[plugin(sandbox())]).replay_workflow(history)


async def test_a_schedule_runs_it_for_the_time_that_it_was_due(plant: Plant) -> None:
    await keep_schedules(plant.client, plant.queue, Reporting(report_zone="Europe/Berlin"))
    daily = plant.client.get_schedule_handle("kpi-report-daily")
    await daily.trigger()
    for _ in range(100):
        if started := (await daily.describe()).info.recent_actions:
            break
        await asyncio.sleep(0.05)
    action = started[0].action
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)
    handle = plant.client.get_workflow_handle(action.workflow_id, result_type=RunDone)
    done = await handle.result()
    assert abs(done.as_of - started[0].scheduled_at) < timedelta(seconds=1)
    described = await handle.describe()
    assert described.typed_search_attributes[attributes.PROCESS] == "kpi-report"
    assert await described.static_summary() == "Report of figures · yesterday"


def every_second(plant: Plant, zone: str) -> Schedule:
    """A schedule whose days are seconds."""
    schedule = report_schedule("daily", plant.queue, Reporting(report_zone=zone))
    schedule.spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])
    return schedule


@pytest.mark.slow
async def test_what_was_due_while_the_server_was_away_is_caught_up_also_when_the_schedule_changes(
    tmp_path: Path,
) -> None:
    figures, mail = KnownFigures(), Mail(Outbox(tmp_path / "letters"))
    async with open_store(f"sqlite:///{tmp_path}/aftersales.db") as store:
        for zone in ("UTC", "UTC", "Europe/Berlin"):
            before = len(figures.asked)
            async with serving(tmp_path, db_file=tmp_path / "temporal.db") as client:
                plant = Plant(client, store, figures, mail, tmp_path)
                await keep(client, "kpi-report-daily", every_second(plant, zone))
                async with plant.working():
                    for _ in range(200):
                        if len(figures.asked) >= before + 4:
                            break
                        await asyncio.sleep(0.05)
            await asyncio.sleep(1.5)
    due = sorted({as_of for _, _, as_of in figures.asked})
    steps = {later - sooner for sooner, later in itertools.pairwise(due)}
    assert steps == {timedelta(seconds=1)}, due
