"""The Triton kernel in Triton's interpreter, against the torch engine; on a GPU, for real."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from bcls.losses import kendall_loss

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")

CODE = """
import torch
from bcls.losses import kendall_loss
from bcls.losses.triton_pairs import triton_all_pairs

for seed, (images, captions) in enumerate([(1, 1), (3, 5), (7, 70), (5, 130), (2, 64)]):
    torch.manual_seed(seed)
    scores, labels = torch.randn(images, captions), torch.rand(images, captions).mul(10).round().div(10)
    labels[torch.rand(images, captions) < 0.2] = float("nan")
    for gap, margin in [(0.0, 0.0), (0.15, 0.1)]:
        ours, theirs = scores.clone().requires_grad_(), scores.clone().requires_grad_()
        value = triton_all_pairs(ours, labels, gap=gap, margin=margin)
        expected = kendall_loss(theirs, labels, pairs="all", gap=gap, margin=margin, engine="torch")
        value.backward()
        expected.backward()
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-6, rtol=0)
"""


@needs_triton
def test_in_the_interpreter():
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_triton
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("engine", ["triton", "torch"])
def test_on_a_gpu(engine):
    torch.manual_seed(0)
    scores, labels = torch.randn(300, 500), torch.rand(300, 500)
    leaves = [scores.clone().requires_grad_(), scores.cuda().requires_grad_()]
    for leaf in leaves:
        kendall_loss(leaf, labels.to(leaf.device), pairs="all", engine=engine if leaf.is_cuda else "auto").backward()
    torch.testing.assert_close(leaves[1].grad.cpu(), leaves[0].grad, atol=1e-6, rtol=0)
