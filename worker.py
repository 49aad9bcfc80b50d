"""The running side: settings → adapters → worker. `python worker.py` runs it against any Temporal server.

The server is found by Temporal's environment configuration (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
TEMPORAL_TLS…, or a profile by TEMPORAL_PROFILE); everything else by `adapters/settings.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
from datetime import timedelta

import structlog
import uvloop
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker, WorkerDeploymentConfig

import workflows
from activities.away import AwayIsExpected
from activities.commands import Commands
from activities.evidence import Evidence
from activities.letters import Letters
from activities.outcomes import Outcomes
from activities.reports import Reports
from activities.screening import screen_reply
from activities.staff_letters import LETTERS as STAFF_LETTERS
from activities.staff_letters import StaffLetters
from activities.triage import Triage
from adapters.channels import open_channels
from adapters.counterparts import Booked
from adapters.counterparts.opening import open_counterparts
from adapters.database import DatabaseUnusable, Store, open_store
from adapters.evidence import EvidenceFolder
from adapters.logs import configure_logging
from adapters.memory import settled
from adapters.outage import Outage
from adapters.outbox import Outbox
from adapters.reports import ReportsFolder
from adapters.settings import ROOT, BadSettings, Settings, read_settings
from adapters.shops import load_books, load_policies
from adapters.temporal import NotReachable, RunningCases, connect, missing_attributes, quiet_core, rpc_problem, watch
from adapters.triage import EmbeddedClassifier
from adapters.triage_http import HttpClassifier
from aftersales.faults import BadFile, Fault
from aftersales.letters import Books
from aftersales.people import work_here
from aftersales.policies import Policies
from aftersales.policy import places
from aftersales.ports import Channel, Counterpart
from aftersales.report_files import as_csv, as_html, as_json
from aftersales.screening import screen
from aftersales.triage import Classifier
from workflows import attributes
from workflows.kpi_report import KpiReport
from workflows.start import start_options

DEPLOYMENT = "aftersales"
SHARED_LETTERS = {"message-received": frozenset[str](), "payment-waits": frozenset[str]()}
"""Letters that every process may send."""
LETTERS = {
    "common": SHARED_LETTERS,
    **{process.process: process.LETTERS for process in workflows.ALL},
    "kpi-report": STAFF_LETTERS,
}
"""Every letter with its variables, by process."""
REPORT_FILES = {"html": as_html, "csv": as_csv, "json": as_json}
"""How a report is written, by the ending of its file."""
START_PATIENCE = timedelta(minutes=5)
"""How long a worker waits at its start for a Temporal server that is away."""
log = structlog.get_logger("worker")


def build_id() -> str:
    """The version of the rules: a hash over all code that a replay runs through."""
    digest = hashlib.sha256()
    for folder in ("aftersales", "activities", "workflows"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def build_worker(
    client: Client,
    store: Store,
    settings: Settings,
    *,
    books: Books | None = None,
    channel: Channel | None = None,
    counterpart: Counterpart | None = None,
    classifier: Classifier | None = None,
    policies: Policies | None = None,
    versioned: bool = True,
) -> Worker:
    """A worker for all processes and for the report. What is given beside the settings replaces what they say.

    Versioned, a case stays with the code that began it (PINNED); unversioned is for tests on a server of their own.
    """
    books = books or load_books(settings.templates, settings.shops)
    channel = channel or Outbox(settings.outbox)
    letters = Letters(books, channel, store, domain=settings.mail_domain)
    commands = Commands(counterpart or Booked(), store)
    evidence = Evidence(EvidenceFolder(settings.data / "evidence", store.views, settings.outbox))
    cases = RunningCases(client, settings.task_queue, start_options)
    outcomes = Outcomes(store, store, cases, workflows.HEARS)
    policies = policies or load_policies(settings.policy, settings.law, settings.shops)
    maker = reports_folder(store, settings, policies)
    reports = Reports(maker)
    staff = StaffLetters(books, channel, store.warnings, policies, domain=settings.mail_domain, shelf=maker.shelf)
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[*workflows.ALL, KpiReport],
        activities=[
            letters.send,
            commands.give,
            commands.charge,
            commands.given_before,
            evidence.build,
            outcomes.record,
            outcomes.introduce,
            outcomes.open,
            outcomes.hand_back,
            reports.shops,
            reports.make,
            reports.compare,
            staff.tell,
            screen_reply,
            Triage(classifier or classifier_for(settings)).classify,
        ],
        interceptors=[AwayIsExpected()],
        deployment_config=WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(DEPLOYMENT, build_id()),
            use_worker_versioning=versioned,
            default_versioning_behavior=VersioningBehavior.PINNED if versioned else VersioningBehavior.UNSPECIFIED,
        ),
        max_cached_workflows=2_000,
        max_concurrent_activities=50,
        graceful_shutdown_timeout=timedelta(seconds=10),
        # After a killed worker its waiting cases come back this late; the server's default is 10 s.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )


def reports_folder(store: Store, settings: Settings, policies: Policies) -> ReportsFolder:
    """Who makes reports: in the data folder, from the database."""
    return ReportsFolder(store.figures, store.warnings, policies, settings.data / "reports", REPORT_FILES)


def classifier_for(settings: Settings) -> Classifier:
    """Who reads messages: a team's own classifier where the settings name one, else the embedded one."""
    if settings.classifier_url:
        return HttpClassifier(settings.classifier_url)
    return EmbeddedClassifier(order_ids=settings.order_ids)


async def make_current(client: Client) -> None:
    """Route new cases to this build, as soon as its worker polls."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=DEPLOYMENT,
        build_id=build_id(),
        identity=client.identity,
        ignore_missing_task_queues=True,
    )
    for attempt in range(100):
        try:
            await client.workflow_service.set_worker_deployment_current_version(request, retry=True)
            return
        except RPCError as error:
            # The server knows the version only once its pollers have arrived.
            if attempt == 99 or error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                raise
            await asyncio.sleep(0.1)


async def reach_server(stop: asyncio.Event) -> Client:
    """A client, as soon as the server answers; the log says once that it is waited for.

    Raises:
        NotReachable: it does not answer for so long that whoever started this should know, or we are to stop.
    """
    outage, late = Outage("temporal"), asyncio.get_running_loop().time() + START_PATIENCE.total_seconds()
    while True:
        try:
            await connect(patience=timedelta(seconds=2))
            # This one has the patience to tell the end of an effect to a server that is away for a moment.
            client = await connect()
        except NotReachable as away:
            if stop.is_set() or asyncio.get_running_loop().time() > late:
                raise
            outage.goes_on(f"{away}; it is tried again for {START_PATIENCE.total_seconds() / 60:.0f} minutes")
        else:
            outage.is_over()
            return client
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)


async def check_attributes(client: Client) -> None:
    """Refuse to run where the server lacks a search attribute: an upsert of an unknown one would wedge every case.

    Raises:
        NotReachable: naming the attributes and the command that adds them.
    """
    missing = await missing_attributes(client, attributes.TYPES)
    if missing:
        commands = "\n".join(
            f"  temporal operator search-attribute create --namespace {client.namespace} --name {name} --type {kind}"
            for name, kind in missing.items()
        )
        raise NotReachable(
            f"the Temporal namespace {client.namespace} lacks search attributes; create them with\n{commands}"
        )


def load_letters(settings: Settings, policies: Policies) -> Books:
    """All letters, checked: each that a process sends, in each language of a shop's policy, for its channels (rule 2).

    So are the variants of letters that a shop's policy tries (`§20`).

    Raises:
        BadFile: naming file and line of what is wrong in the templates, or in a policy about them.
    """
    books = load_books(settings.templates, settings.shops)
    for shop in ("", *settings.shops):
        policy = policies.of(shop)
        problems = books.of(shop).check(LETTERS, policy.letters.languages, [policy])
        faults = [Fault(found.line, "", found.what, path=found.path) for found in problems]
        faults += books.of(shop).check_variants(LETTERS, policy, places(settings.policy_of(shop)))
        if faults:
            raise BadFile(settings.templates, faults)
    return books


async def run(settings: Settings, *, counterpart: Counterpart | None = None) -> None:
    """Run a worker until SIGINT or SIGTERM, then let its effects finish."""
    policies = load_policies(settings.policy, settings.law, settings.shops)
    work_here({name: policies.of(name).operators.people for name in ("", *settings.shops)})
    books = load_letters(settings, policies)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    client = await reach_server(stop)
    await check_attributes(client)
    async with (
        # It comes up while the database is away, too; what needs it is tried again.
        open_store(settings.store, lazy=True) as store,
        open_channels(settings.channels, settings.outbox) as channel,
        open_counterparts(settings.counterparts) as counterparts,
        build_worker(
            client,
            store,
            settings,
            books=books,
            channel=channel,
            counterpart=counterpart or counterparts,
            policies=policies,
        ),
    ):
        # The first reply would wait for the phrase books.
        screen("好 ok", None, ("accept", "insist"), "zh")
        settled()
        await make_current(client)
        log.info("worker runs", build=build_id(), namespace=client.namespace, task_queue=settings.task_queue)
        watching = asyncio.create_task(watch(client))
        await stop.wait()
        watching.cancel()
        log.info("worker stops")


def main() -> int:
    """Entry point; returns the exit code."""
    try:
        settings = read_settings()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 1
    configure_logging(settings.log_level, settings.log_format)
    quiet_core()
    try:
        uvloop.run(run(settings))
    except RPCError as error:
        print(rpc_problem(error), file=sys.stderr)
        return 1
    except (NotReachable, BadFile, DatabaseUnusable, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native part can abort while the interpreter shuts down, after all went well (sdk-python issue 300).
    os._exit(code)
