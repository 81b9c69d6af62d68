"""A run that was killed and resumed ends in the weights of an unbroken one, bit for bit."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

STEPS_AN_EPOCH = 12  # 96 captions of 48 images, 8 a batch


def _command(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "bcls", "train", *words]


def _kill_at_the_first_checkpoint(command: list[str], checkpoint: Path) -> int:
    """Start, wait for a checkpoint, kill; the step that the checkpoint is of."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if checkpoint.exists():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.001)
    process.wait()
    assert process.returncode == -signal.SIGKILL, process.stderr.read().decode()
    return int(torch.load(checkpoint, weights_only=True)["global_step"])


@pytest.mark.parametrize("checkpoint_steps", [0, 5])
def test_sigkill_and_resume(words, tmp_path, checkpoint_steps):
    more = ["--optimization.epochs", "4", "--optimization.batch_size", "8"]
    more += ["--checkpoint_steps", str(checkpoint_steps)]
    unbroken, broken = (words(*more, output=name) for name in ("unbroken", "broken"))
    subprocess.run(_command(unbroken), check=True, capture_output=True)
    step = _kill_at_the_first_checkpoint(_command(broken), tmp_path / "broken" / "checkpoints" / "last.ckpt")
    assert step < 4 * STEPS_AN_EPOCH
    assert (step % STEPS_AN_EPOCH == 0) == (checkpoint_steps == 0)
    assert not (tmp_path / "broken" / "result.json").exists()
    subprocess.run(_command([*broken, "--resume", "true"]), check=True, capture_output=True)

    ends = [
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True) for name in ("unbroken", "broken")
    ]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 4 * STEPS_AN_EPOCH
    assert ends[0]["state_dict"].keys() == ends[1]["state_dict"].keys()
    assert all(torch.equal(ends[0]["state_dict"][name], ends[1]["state_dict"][name]) for name in ends[0]["state_dict"])
    models = [(tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("unbroken", "broken")]
    assert models[0] == models[1]
    results = [(tmp_path / name / "result.json").read_text() for name in ("unbroken", "broken")]
    assert results[0].replace("unbroken", "broken") == results[1]


def test_interruption_by_the_user_is_no_success(words, tmp_path):
    command = _command(words("--optimization.epochs", "2000", "--checkpoint_steps", "1"))
    # A job that a shell put into the background is born deaf to Ctrl-C, and so would its children be.
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    while not (tmp_path / "run" / "history.csv").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert not (tmp_path / "run" / "result.json").exists()
