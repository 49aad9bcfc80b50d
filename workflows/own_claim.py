"""Cases of build 0.1.0 that claimed a lost parcel themselves, before claims had a case of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

if TYPE_CHECKING:
    from workflows.case import Case


def claims_itself(case: Case) -> bool:
    """Whether the case has filed its claim itself, as build 0.1.0 did, and goes on so.

    Neither that build nor the next one left a mark in the history, but a policy of 0.1.0 has no windows of a claim. A
    case of that build whose parcel is lost only now claims in the new way.
    """
    began_so = "trace_window" not in case.policy.parcels.model_fields_set
    return began_so and not workflow.patched("claims-have-a-case")
