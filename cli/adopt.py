"""`adopt`: after a change of the rules, open cases that fit the new code move on to it.

A case stays with the build that began it (Worker Versioning, PINNED). Where workers of the old build run on beside
those of the new one, nothing has to be done. On one machine nobody serves the old build any more: there a case may move
when its history, replayed by the new code, comes to the same steps.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest, UpdateWorkflowExecutionOptionsRequest
from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.common import PinnedVersioningOverride, SearchAttributeKey, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

import workflows
from adapters.sandbox import sandbox
from adapters.settings import Settings
from adapters.temporal import plugin
from aftersales.plaintext import one_line
from cli.connection import find_server
from cli.looking import listed, of_processes
from cli.running import Stop, run
from cli.show import emit
from worker import DEPLOYMENT, build_id

LONGEST_REASON = 300
"""Characters of a reason that are shown."""
VERSION = SearchAttributeKey.for_keyword("TemporalWorkerDeploymentVersion")
"""The server's own search attribute for the build that a run is pinned to, as `<deployment>:<build>`."""


def adopt(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per case.")] = False,
) -> None:
    """Move open cases of earlier builds to this code, where it replays their history. Exit code 1 when some do not fit.

    A worker of this build must be running. Cases that do not fit stay as they are, for a worker of their own build.
    """
    run(lambda settings: _adopt(settings, as_json))


async def _adopt(settings: Settings, as_json: bool) -> int:
    client = (await find_server(settings)).client
    build = build_id()
    elsewhere = await pinned_elsewhere(client, build)
    if elsewhere and await serving_build(client) != build:
        raise Stop(
            f"no worker of this build ({build}) runs yet; start one (./dev up, or python worker.py) and try again"
        )
    unfit = await _replayed(client, elsewhere)
    moved = 0
    for case in elsewhere:
        reason = unfit.get(case.run_id, "") or await _move(client, case, build)
        moved += not reason
        if as_json:
            emit({"case": case.id, "run_id": case.run_id, "from": pinned_to(case), "to": build, "left": reason})
        elif reason:
            print(f"{case.id} stays with build {pinned_to(case)}: {reason}")
    left = len(elsewhere) - moved
    if not as_json and not elsewhere:
        print("no open case is pinned to an earlier build")
    elif not as_json:
        print(
            f"{moved} open case{'' if moved == 1 else 's'} of earlier builds moved to build {build}"
            + (
                f", {left} left: run a worker of their build, or change the code so that it replays them"
                if left
                else ""
            )
        )
    return 1 if left else 0


async def serving_build(client: Client) -> str:
    """The build that new cases go to; empty where no worker has run yet."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    try:
        found = await client.workflow_service.describe_worker_deployment(request, retry=True)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return ""
        raise
    return found.worker_deployment_info.routing_config.current_deployment_version.build_id


def pinned_to(run: WorkflowExecution) -> str:
    """The build that a run is pinned to; empty where it is not yet, so that it goes to the current one."""
    return (run.typed_search_attributes.get(VERSION) or "").removeprefix(f"{DEPLOYMENT}:")


async def pinned_elsewhere(client: Client, build: str) -> list[WorkflowExecution]:
    """The open cases that are pinned to another build than this."""
    other = f'{VERSION.name} IS NOT NULL AND {VERSION.name} != "{DEPLOYMENT}:{build}"'
    return [run async for run in listed(client, [of_processes(), 'ExecutionStatus = "Running"', other])]


async def _replayed(client: Client, cases: Sequence[WorkflowExecution]) -> dict[str, str]:
    """Why some of these runs do not replay with the present code, by run id."""
    if not cases:
        return {}

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for case in cases:
            yield await client.get_workflow_handle(case.id, run_id=case.run_id).fetch_history()

    # The SDK logs what fails here with its traceback; each failure is told in a line of its own.
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    unfit = {}
    replayer = Replayer(workflows=list(workflows.ALL), plugins=[plugin(sandbox())])
    async with replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            if result.replay_failure:
                unfit[result.history.run_id] = _reason(str(result.replay_failure))
    return unfit


def _reason(failure: str) -> str:
    """The cause of a failed replay on one line, without the layers that the SDK wraps around it."""
    messages = re.findall(r'message: "((?:[^"\\]|\\.)*)"', failure)
    return one_line((messages or [failure])[-1].replace("\\n", " ").replace("\\", ""))[:LONGEST_REASON]


async def _move(client: Client, case: WorkflowExecution, build: str) -> str:
    """Pin a run to this build; returns why it cannot be."""
    override = PinnedVersioningOverride(WorkerDeploymentVersion(DEPLOYMENT, build))
    request = UpdateWorkflowExecutionOptionsRequest(
        namespace=client.namespace,
        workflow_execution=Execution(workflow_id=case.id, run_id=case.run_id),
        workflow_execution_options=WorkflowExecutionOptions(versioning_override=override._to_proto()),
        update_mask=FieldMask(paths=["versioning_override"]),
    )
    try:
        await client.workflow_service.update_workflow_execution_options(request, retry=True)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:  # it closed meanwhile
            return ""
        if error.status in (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.FAILED_PRECONDITION):
            return error.message
        raise
    return ""
