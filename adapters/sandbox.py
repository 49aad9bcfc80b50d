"""The sandbox in which rehearsals and replays run workflow code, to catch what would not replay.

Workers run without it: it imports a process anew for every case and watches every call, which costs a worker a third
of its processor time and of its memory. Whatever it would catch there, a call of `datetime.now()` in a rule, it has
caught before: every story and every frozen history runs in it, and `tests/workflows/test_architecture.py` reads the
branches that no story takes.
"""

from __future__ import annotations

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import _Definition as Definition

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
)
"""Modules that the sandbox passes through: pure ones, and those that are only named. Never a process or the toolkit."""


def sandbox() -> WorkflowRunner:
    """The runner that imports workflow code anew for every case and keeps clock, chance and files from it."""
    preload()
    return _Sandbox(SandboxRestrictions.default.with_passthrough_modules(*PURE))


class _Sandbox(SandboxedWorkflowRunner):
    """Spares a rehearsal, which has a worker for every story, what costs time and finds nothing.

    Each workflow is tried once, not for every worker. And the SDK enters the sandbox three times for every payload to
    ask on whose behalf it converts; our converter does not want to know, and there is no external storage.
    """

    def prepare_workflow(self, defn: Definition) -> None:
        if defn.cls not in _TRIED:
            super().prepare_workflow(defn)
            _TRIED.add(defn.cls)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = super().create_instance(det)
        nowhere = StorageDriverStoreContext(target=None)
        for question, answer in (("get_serialization_context", None), ("get_external_store_context", nowhere)):
            setattr(instance, question, lambda _, answer=answer: answer)
        return instance


_TRIED = set[type]()
