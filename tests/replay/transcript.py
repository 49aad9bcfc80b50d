"""Replaying a frozen history and writing down what the code commanded: type, id, arguments, timer lengths.

The SDK's replayer compares the kinds and ids of commands only. Another amount or a changed timer length passes it; the
transcript shows them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import _Definition

import workflows

HISTORIES = Path(__file__).parent / "histories"


async def replay(history: WorkflowHistory, runner: WorkflowRunner) -> list[str]:
    """The commands of the present code for this history, a line each.

    Raises:
        NondeterminismError: the present code takes another way.
    """
    recorder = _Recorder(runner)
    plugin = SimplePlugin("recorder", data_converter=pydantic_data_converter, workflow_runner=lambda _: recorder)
    replayer = Replayer(workflows=list(workflows.ALL), plugins=[plugin])
    await replayer.replay_workflow(history)
    return [line for completion in recorder.completions for line in _lines(completion)]


def load(path: Path) -> WorkflowHistory:
    """A frozen history. Its workflow id stands in its first event's attributes."""
    text = path.read_text()
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], text)


class _Recorder(WorkflowRunner):
    def __init__(self, inner: WorkflowRunner) -> None:
        self.inner = inner
        self.completions: list[WorkflowActivationCompletion] = []

    def prepare_workflow(self, defn: _Definition) -> None:
        self.inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self.inner.create_instance(det)
        activate = instance.activate

        def recorded(act: WorkflowActivation) -> WorkflowActivationCompletion:
            completion = activate(act)
            self.completions.append(completion)
            return completion

        setattr(instance, "activate", recorded)  # noqa: B010 - a method of one instance is replaced
        return instance


def _lines(completion: WorkflowActivationCompletion) -> Iterator[str]:
    for command in completion.successful.commands:
        kind = command.WhichOneof("variant")
        if kind and (line := _line(kind, command)):
            yield line


def _line(kind: str, command: WorkflowCommand) -> str:
    match kind:
        case "schedule_activity":
            activity = command.schedule_activity
            return f"activity {activity.activity_type} {activity.activity_id} {_arguments(*activity.arguments)}"
        case "schedule_local_activity":
            local = command.schedule_local_activity
            return f"local {local.activity_type} {local.activity_id} {_arguments(*local.arguments)}"
        case "start_timer":
            return f"timer {command.start_timer.start_to_fire_timeout.ToTimedelta()}"
        case "cancel_timer":
            return "cancel timer"
        case "start_child_workflow_execution":
            child = command.start_child_workflow_execution
            return f"child {child.workflow_id} {_arguments(*child.input)}"
        case "signal_external_workflow_execution":
            signal = command.signal_external_workflow_execution
            return f"signal {signal.workflow_execution.workflow_id} {_arguments(*signal.args)}"
        case "upsert_workflow_search_attributes":
            fields = command.upsert_workflow_search_attributes.search_attributes.indexed_fields
            return "show " + " ".join(f"{name}={_value(fields[name])}" for name in sorted(fields))
        case "complete_workflow_execution":
            return f"complete {_arguments(command.complete_workflow_execution.result)}"
        case "respond_to_query":
            return ""
        case _:
            return kind


def _value(payload: Payload) -> str:
    return payload.data.decode()


def _arguments(*payloads: Payload) -> str:
    """The arguments as JSON, without what tells only who is meant.

    Of what opens a child it is only the trigger, as order and policy are the parent's.
    """
    values = [json.loads(payload.data) for payload in payloads]
    for value in values:
        if isinstance(value, dict):
            value.pop("case", None), value.pop("successor", None)
            if "policy" in value:
                value.pop("policy"), value.pop("order")
                value["trigger"].pop("order", None)
    return json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, sort_keys=True)
