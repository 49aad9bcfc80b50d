"""Evidence: all that is known of an order, collected for a platform that decides about a dispute."""

from __future__ import annotations

from temporalio import activity

from aftersales.evidence import EvidencePack, EvidenceRequest
from aftersales.ports import EvidenceLocker


class Evidence:
    """Has evidence packs built."""

    def __init__(self, locker: EvidenceLocker) -> None:
        self._locker = locker

    @activity.defn(name="build_evidence")
    async def build(self, request: EvidenceRequest) -> EvidencePack:
        """Build one pack, once for its case's run and number however often this runs."""
        pack = await self._locker.build(request)
        activity.logger.info("evidence collected", extra={"folder": pack.folder, "digest": pack.digest})
        return pack
