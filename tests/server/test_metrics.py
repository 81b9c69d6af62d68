"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from bcls.server.metrics import SECONDS, SIZES, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (s.name, *(s.labels[key] for key in sorted(s.labels))): s.value for family in families for s in family.samples
    }


def test_what_was_counted_is_told_by_its_labels():
    metrics = Metrics()
    metrics.requests.labels(method="GET", route="/v1/search", status="200").inc()
    metrics.requests.labels(method="GET", route="/v1/search", status="200").inc()
    metrics.requests.labels(method="GET", route="/v1/search", status="422").inc()
    metrics.running.inc()
    metrics.query_cache.labels(result="hit").inc(3)
    metrics.records.labels(collection="a").set(1234)
    metrics.ready.labels(collection="a").set(1)
    metrics.reloads.labels(collection="a").inc()
    told = samples(metrics)
    expected = {
        ("bcls_requests_total", "GET", "/v1/search", "200"): 2,
        ("bcls_requests_total", "GET", "/v1/search", "422"): 1,
        ("bcls_requests_running",): 1,
        ("bcls_query_cache_total", "hit"): 3,
        ("bcls_index_records", "a"): 1234,
        ("bcls_index_ready", "a"): 1,
        ("bcls_index_reloads_total", "a"): 1,
    }
    assert expected.items() <= told.items()


def test_times_and_sizes_fall_into_their_buckets():
    metrics = Metrics()
    metrics.seconds.labels(route="/").observe(0.03)
    metrics.batch_size.labels(work="search").observe(5)
    told = samples(metrics)
    times = {float(key[1]): value for key, value in told.items() if key[0] == "bcls_request_seconds_bucket"}
    sizes = {float(key[1]): value for key, value in told.items() if key[0] == "bcls_batch_size_bucket"}
    assert times == {edge: float(edge >= 0.03) for edge in (*SECONDS, float("inf"))}
    assert sizes == {edge: float(edge >= 5) for edge in (*map(float, SIZES), float("inf"))}
    assert told["bcls_request_seconds_sum", "/"] == 0.03


def test_two_servers_in_one_process_do_not_mix():
    one, other = Metrics(), Metrics()
    one.running.set(5)
    assert samples(one)["bcls_requests_running",] == 5
    assert samples(other)["bcls_requests_running",] == 0


def test_a_server_that_did_nothing_tells_of_its_process():
    told = samples(Metrics())
    assert told["process_resident_memory_bytes",] > 0
    assert ("bcls_requests_total", "GET", "/", "200") not in told
