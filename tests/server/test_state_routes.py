"""Probes, metrics, and what the server says of itself."""

from __future__ import annotations

from .conftest import COLOURS


def test_collections(client):
    state = client.get("/v1/collections").json()
    (one,) = state["collections"]
    assert one["name"] == "colours"
    assert one["records"] == 6 * len(COLOURS)
    assert one["ready"]
    assert one["exact"]
    assert one["takes_pictures"]
    assert one["fields"]["split"] == "str"
    assert not state["writing"]


def test_metrics_count_requests_by_route(client):
    for _ in range(3):
        client.post("/v1/search", json={"text": "red"})
    client.get("/no/such/path/5")
    text = client.get("/metrics").text
    assert 'bcls_requests_total{method="POST",route="/v1/search",status="200"} 3.0' in text
    assert 'bcls_requests_total{method="GET",route="other",status="404"} 1.0' in text
    assert 'bcls_query_cache_total{result="hit"} 2.0' in text
    assert 'bcls_index_records{collection="colours"} 48.0' in text
    assert "/no/such" not in text


def test_probes(client):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"colours": True}
