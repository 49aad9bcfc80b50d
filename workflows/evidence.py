"""Evidence: having all that is known of a case's order collected (`§18`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.commands import CommandType
    from aftersales.disputes import Claim
    from aftersales.evidence import EvidencePack, EvidenceRequest

from workflows import effects

if TYPE_CHECKING:
    from workflows.case import Case


async def collected(case: Case, claim: Claim) -> EvidencePack:
    """A new pack, with all that is known by now."""
    activity_id = case.state.next_id("build_evidence")
    pack = await effects.build_evidence(
        activity_id,
        EvidenceRequest(
            case=case.ref,
            number=case.state.done["build_evidence"],
            order=case.order,
            dispute=claim.dispute,
            respond_by=claim.respond_by,
            policy_version=case.policy.version,
            at=workflow.now(),
        ),
    )
    case.note(f"evidence collected: {pack.folder}")
    return pack


async def filed(
    case: Case, claim: Claim, pack: EvidencePack, name: CommandType, last: datetime | None, is_over: Callable[[], bool]
) -> str:
    """Give the platform a pack; where it is not taken, again while nobody decides, ever sooner until its last date.

    Without `last` that is the date by which the platform wants an answer, wherever it moves it.
    Returns the platform's reference; nothing where a person leaves it, the dispute is over, or the date has passed.
    """
    reference = ""
    claim.follows_date = last is None
    while not reference and not is_over():
        by = last or claim.respond_by
        claim.retry_at = max(workflow.now() + claim.terms.evidence_retry, by - claim.terms.evidence_lead)
        reference = await case.command(
            name,
            instead="leave",
            claim_id=claim.dispute.claim_id,
            kind=claim.dispute.kind,
            by=by,
            pack=pack.folder,
            digest=pack.digest,
        )
        if not reference and case.state.decisions[-1].by:
            break
        by = last or claim.respond_by
        if not reference and workflow.now() >= by:
            why = f"{name} was not taken before {by:%Y-%m-%d %H:%M} UTC; see whether the platform still takes it"
            await case.tell(f"aftersales {case.key(f'{name}:late')}", why)
            break
    claim.retry_at = None
    return reference
