"""What Prometheus is told."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counters of one server; each server has its own, so that two in one process do not mix.

    Labels come from a closed set (routes, statuses, names of collections), never from what a client sends.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "bcls_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "bcls_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=self.registry
        )
        self.running = Gauge("bcls_requests_running", "Requests being answered", registry=self.registry)
        self.batch_size = Histogram(
            "bcls_batch_size", "Items that went to a worker together", ["work"], buckets=SIZES, registry=self.registry
        )
        self.query_cache = Counter(
            "bcls_query_cache", "Text queries by whether their vector was known", ["result"], registry=self.registry
        )
        self.records = Gauge("bcls_index_records", "Records in the index", ["collection"], registry=self.registry)
        self.ready = Gauge("bcls_index_ready", "1 = the index answers", ["collection"], registry=self.registry)
        self.reloads = Counter(
            "bcls_index_reloads", "New versions of the index that were taken up", ["collection"], registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
