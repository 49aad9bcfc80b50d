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
    "workflows.details",
    "workflows.requests",
)
"""Modules that the sandbox passes through, because they are pure or only named: a cached case costs 38 KiB instead of
1.5 MiB. Never the toolkit or a process: there a call of `datetime.now()` or `random()` must be caught."""


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
