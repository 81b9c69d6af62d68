"""`bcls serve` under load, beside a bare FastAPI endpoint that embeds with the same model and asks faiss.

python benchmarks/serve_load.py --seconds 60

64 connections on loopback, 50,000 vectors, every text new, so that no cache of queries helps. Needs the extras `server`
and faiss-cpu. The client is a process of its own and takes a core; both servers are asked by the same client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measure import RESULTS, load
from pydantic import BaseModel
from serving import started

from bcls.files import write_json

DIM = 256
WORDS = [f"word{number}" for number in range(5000)]
FIELDS = {"kind": "str", "image": "str", "file": "str", "split": "str", "text": "str"}


class Asked(BaseModel):
    text: str
    k: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each server")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--vectors", type=int, default=50_000)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--output", type=Path, default=RESULTS / "serve_load.json")
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--client", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        serve_bare(given.bare)
    elif given.client:
        print(json.dumps(asyncio.run(ask(given))))
    else:
        compare(given)


def compare(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, given.vectors)
        ours = [
            sys.executable,
            "-m",
            "bcls",
            "serve",
            str(folder / "model"),
            f"memory:{folder / 'index'}",
            "--port",
            "0",
        ]
        ours += ["--pictures", str(folder)]
        bare = [sys.executable, __file__, "--bare", str(folder), "--k", str(given.k)]
        results = {
            "bcls serve": measure(ours, "/v1/search", given),
            "bare FastAPI + faiss flat": measure(bare, "/search", given),
        }
    about = {"load": load(), "connections": given.connections, "vectors": given.vectors, "k": given.k, "dim": DIM}
    write_json(given.output, {"about": about | {"seconds": given.seconds}, "results": results})
    print(f"{about['load']}, {given.seconds:g} s each, {given.connections} connections, {given.vectors:,} vectors\n")
    print(f"{'':<28}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'MB start':>10}{'MB end':>8}")
    for server, row in results.items():
        print(
            f"{server:<28}{row['per_second']:>11.0f}{row['p50_ms']:>9.1f}{row['p99_ms']:>9.1f}{row['errors']:>8}"
            f"{row['mb_start']:>10.0f}{row['mb_end']:>8.0f}"
        )


def make(folder: Path, vectors: int) -> None:
    """A model that was never trained, which costs the same, and random vectors in an index and in a file."""
    from PIL import Image

    from bcls.models import BagOfWordsTower, ConvTower, RetrievalModel, fingerprint
    from bcls.search import Record, create_index

    model = RetrievalModel(ConvTower(dim=DIM), BagOfWordsTower(dim=DIM, minimum_count=1))
    model.image_tower.fit([Image.new("RGB", (64, 64))])
    model.caption_tower.fit(WORDS)
    model.save_pretrained(folder / "model")
    rows = np.random.default_rng(0).normal(size=(vectors, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(folder / "vectors.npy", rows)
    about = {"kind": "image", "image": "", "file": "", "split": "all", "text": "a picture"}
    with create_index(
        f"memory:{folder / 'index'}", dim=DIM, model=fingerprint(folder / "model"), fields=FIELDS
    ) as index:
        index.add(Record(f"picture-{number}", row, about) for number, row in enumerate(rows))
        index.optimize()


def serve_bare(folder: Path) -> None:
    """What one would write in an afternoon."""
    import faiss
    import torch
    import uvicorn
    from fastapi import FastAPI

    from bcls.models import RetrievalModel
    from bcls.server import take_port

    model = RetrievalModel.from_pretrained(folder / "model")
    index = faiss.IndexFlatIP(DIM)
    index.add(np.load(folder / "vectors.npy"))
    app = FastAPI()

    @app.post("/search")
    def search(asked: Asked) -> dict[str, Any]:
        with torch.inference_mode():
            vector = model.encode_text([asked.text]).numpy()
        scores, rows = index.search(vector, asked.k)
        hits = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return {"results": [{"id": f"picture-{row}", "score": score} for row, score in hits]}

    taken = take_port("127.0.0.1", 0)
    taken.socket.listen(2048)
    print(taken.address, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[taken.socket])


def measure(command: list[str], path: str, given: argparse.Namespace) -> dict[str, float]:
    """Start a server, warm it, ask it from another process, and look at its memory before and after."""
    with started(command) as (process, port):
        client(port, path, given, min(3.0, given.seconds))
        start = resident(process.pid)
        found = client(port, path, given, given.seconds)
        return found | {"mb_start": start, "mb_end": resident(process.pid)}


def client(port: int, path: str, given: argparse.Namespace, seconds: float) -> dict[str, Any]:
    words = ["--client", str(port), "--path", path, "--seconds", str(seconds), "--k", str(given.k)]
    words += ["--connections", str(given.connections)]
    done = subprocess.run([sys.executable, __file__, *words], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def ask(given: argparse.Namespace) -> dict[str, Any]:
    """Each connection sends its next request when it has the answer to the last one."""
    times: list[float] = []
    errors = 0
    end = time.perf_counter() + given.seconds

    async def connection(seed: int) -> None:
        nonlocal errors
        choose = random.Random(f"{seed} {end}")
        reader, writer = await asyncio.open_connection("127.0.0.1", given.client)
        head = f"POST {given.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
        while time.perf_counter() < end:
            body = json.dumps({"text": " ".join(choose.choices(WORDS, k=8)), "k": given.k})
            start = time.perf_counter()
            writer.write(f"{head}{len(body)}\r\n\r\n{body}".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer.lower())
            assert length is not None
            await reader.readexactly(int(length[1]))
            times.append(time.perf_counter() - start)
            errors += b" 200 " not in answer[:20]
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(connection(number) for number in range(given.connections)))
    seconds = time.perf_counter() - start
    p50, p99 = (1000 * float(np.percentile(times, share)) for share in (50, 99))
    return {"requests": len(times), "per_second": len(times) / seconds, "p50_ms": p50, "p99_ms": p99, "errors": errors}


if __name__ == "__main__":
    main()
