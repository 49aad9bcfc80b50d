"""The sandbox in which workflow code runs, in worker, replayer and rehearsal alike."""

from __future__ import annotations

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from aftersales.preload import preload

PURE = (
    "activities",
    "aftersales",
    "annotated_types",
    "babel",
    "jinja2",
    "markupsafe",
    "pydantic",
    "pydantic_core",
    "ruamel",
    "workflows.attributes",
    "workflows.board",
    "workflows.case",
    "workflows.details",
    "workflows.effects",
    "workflows.requests",
    "workflows.start",
)
"""Modules that the sandbox passes through, because importing them anew for every case costs memory and time.

The pure ones, those that are only named, and the toolkit. Never a process: there the sandbox must catch a call of
`datetime.now()` or `random()`. In the toolkit `tests/workflows/test_architecture.py` does.
"""


def sandbox() -> WorkflowRunner:
    """The runner of workflow code: sandboxed, with the pure modules passed through."""
    preload()
    return _Sandbox(SandboxRestrictions.default.with_passthrough_modules(*PURE))


class _Sandbox(SandboxedWorkflowRunner):
    """Spares the SDK a way into the sandbox, three times for every payload, to ask for a context that nobody uses.

    Converters may depend on the workflow they serve, and external storage too; ours does not, and there is none. The
    detour took a fifth of a worker's processor time.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = super().create_instance(det)
        nowhere = StorageDriverStoreContext(target=None)
        for question, answer in (("get_serialization_context", None), ("get_external_store_context", nowhere)):
            setattr(instance, question, lambda _, answer=answer: answer)
        return instance
