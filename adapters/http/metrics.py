"""What the HTTP door counts. Labels are doors and statuses only: no shop, no sender, no secret."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one app, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("aftersales_http_requests", "Requests answered.", ["door", "status"], registry=registry)
        self.events = Counter(
            "aftersales_http_events", "Events taken, by what became of them.", ["status"], registry=registry
        )
        self.seconds = Histogram(
            "aftersales_http_seconds", "Time to an answer.", ["door"], buckets=_SECONDS, registry=registry
        )
        self.in_flight = Gauge("aftersales_http_events_in_flight", "Events that are being taken.", registry=registry)
        self.rate_limited = Counter(
            "aftersales_http_rate_limited", "Requests over their sender's rate.", ["door"], registry=registry
        )
        self.bad_signatures = Counter(
            "aftersales_http_bad_signatures",
            "Requests whose signature or credentials were missing, stale or wrong.",
            ["door"],
            registry=registry,
        )

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self.registry)
