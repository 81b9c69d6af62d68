"""The loss beside the real open_clip, which needs torchvision and so a session of its own: `make test-open-clip`."""

from __future__ import annotations

import inspect
import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

pytestmark = pytest.mark.open_clip
open_clip = pytest.importorskip(
    "open_clip", reason="open_clip needs torchvision, and so an environment of its own: make test-open-clip"
)

from bcls.integrations.open_clip import GradedClipLoss  # noqa: E402
from bcls.losses import InfoNCELoss  # noqa: E402

BATCH = """
import torch
import torch.nn.functional as F
from bcls.integrations.open_clip import GradedClipLoss
from bcls.losses import InfoNCELoss
random = torch.Generator().manual_seed(0)
images, captions = (F.normalize(torch.randn(6, 4, generator=random), dim=1) for _ in range(2))
scale = torch.tensor(20.0)
"""

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory) -> str:
    """The name of a random model of one layer, in a folder as the hub would have it."""
    folder = tmp_path_factory.mktemp("open_clip")
    torch.manual_seed(0)
    model = open_clip.CLIP(**TINY)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": {}}))
    return f"local-dir:{folder}"


def test_the_call_is_that_of_open_clips_loss():
    theirs = inspect.signature(open_clip.loss.ClipLoss.forward).parameters.values()
    ours = inspect.signature(GradedClipLoss.forward).parameters.values()
    positional = [one for one in ours if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert [(one.name, one.default) for one in positional] == [(one.name, one.default) for one in theirs]


def test_infonce_equals_open_clips_loss():
    names: dict = {}
    exec(BATCH, names)
    expected = open_clip.loss.ClipLoss()(names["images"], names["captions"], names["scale"])
    found = GradedClipLoss(InfoNCELoss(temperature=1 / 20))(names["images"], names["captions"], names["scale"])
    torch.testing.assert_close(found, expected)


def test_two_processes_gather_as_open_clip_does_with_gradient(in_processes):
    results = in_processes(
        BATCH
        + """
import open_clip
rows = slice(3 * rank, 3 * rank + 3)
result = []
for loss in (
    open_clip.loss.ClipLoss(gather_with_grad=True, rank=rank, world_size=world),
    GradedClipLoss(InfoNCELoss(temperature=1 / 20)),
):
    own = [features[rows].clone().requires_grad_() for features in (images, captions)]
    total = loss(*own, scale)
    total.backward()
    result.append([total.item(), *(features.grad.tolist() for features in own)])
"""
    )
    for theirs, ours in results:
        assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
        for side in (1, 2):
            torch.testing.assert_close(torch.tensor(ours[side]), torch.tensor(theirs[side]))


def test_the_example_runs(tiny_model, scenes, monkeypatch, capsys):
    example = Path(__file__).parents[2] / "examples" / "open_clip_loop.py"
    monkeypatch.setattr(sys, "argv", [str(example), tiny_model, str(scenes)])
    runpy.run_path(str(example), run_name="__main__")
    losses = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
    assert losses[-1] < losses[0]
