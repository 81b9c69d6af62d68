"""From words and YAML to a config."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bcls.errors import InputError
from bcls.losses import (
    BCLSLoss,
    CoSENTLoss,
    InfoNCELoss,
    KendallLoss,
    LadderLoss,
    LanguageMarginLoss,
    LogRatioLoss,
    SelectivelyHardLoss,
    SemanticMarginLoss,
    SigmoidLoss,
    SmoothNDCGLoss,
    SoftContrastLoss,
    TripletLoss,
)
from bcls.training import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "flickr8k"
BASE = ["--config", str(CONFIGS / "bcls.yaml")]


def test_words_become_a_config(words):
    config, text = load_config(words("--loss.gap", "0.2", "--seed", "3"))
    assert isinstance(config.loss, BCLSLoss)
    assert config.loss.kendall.gap == 0.2
    assert config.seed == 3
    assert "gap: 0.2" in text
    assert "weight_decay: 0.01" in text  # defaults are written out


def test_the_text_gives_the_same_config_again(words, tmp_path):
    _, text = load_config(words("--loss.gap", "0.2"))
    file = tmp_path / "again.yaml"
    file.write_text(text)
    assert load_config(["--config", str(file)])[1] == text


def test_first_weights_depend_on_the_seed_alone(words):
    one, two, other = (
        load_config(words("--model.image_tower", "ConvTower", "--seed", seed))[0] for seed in ("1", "1", "2")
    )
    towers = [[p.detach() for p in config.model.image_tower.parameters()] for config in (one, two, other)]
    assert all(torch.equal(a, b) for a, b in zip(towers[0], towers[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(towers[0], towers[2], strict=True))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (["--loss", "NoSuchLoss"], "loss"),
        (["--loss.windoww", "3"], "windoww"),
        (["--optimization.epochs", "many"], "epochs"),
        (["--seed", "1.5"], "seed"),
        (["--data.sampler", "sorted"], "sampler"),
        (["--config", "no-such-file.yaml"], "no-such-file.yaml"),
        (["--nothing", "1"], "nothing"),
    ],
)
def test_what_is_wrong_is_named(words, wrong, named):
    with pytest.raises(InputError, match=named):
        load_config(words(*wrong))


def test_a_setting_out_of_range_is_an_input_error(words):
    with pytest.raises(InputError, match="gap is 3"):
        load_config(words("--loss.gap", "3.0"))


def test_the_flickr8k_config_loads():
    config, _ = load_config(BASE)
    assert isinstance(config.loss, BCLSLoss)
    assert config.loss.kendall_weight == BCLSLoss().kendall_weight


@pytest.mark.parametrize(
    ("name", "kind", "pairs"),
    [
        ("triplet_hn", TripletLoss, None),
        ("triplet_sn", TripletLoss, None),
        ("triplet_all", TripletLoss, None),
        ("infonce", InfoNCELoss, None),
        ("sigmoid", SigmoidLoss, None),
        ("kendall_all", BCLSLoss, "all"),
        ("boundary", BCLSLoss, "boundary"),
        ("window", BCLSLoss, "window"),
        ("stride", BCLSLoss, "stride"),
        ("first", BCLSLoss, "first"),
        ("ladder", LadderLoss, None),
        ("smooth_ndcg", SmoothNDCGLoss, None),
        ("log_ratio", LogRatioLoss, None),
        ("semantic_margin", SemanticMarginLoss, None),
        ("language_margin", LanguageMarginLoss, None),
        ("selectively_hard", SelectivelyHardLoss, None),
        ("soft_contrast", SoftContrastLoss, None),
        ("cosent", CoSENTLoss, None),
    ],
)
def test_each_loss_file_replaces_the_loss_of_the_base(name, kind, pairs):
    config, _ = load_config([*BASE, "--config", str(CONFIGS / "losses" / f"{name}.yaml")])
    assert type(config.loss) is kind
    if isinstance(config.loss, BCLSLoss):
        assert isinstance(config.loss.kendall, KendallLoss)
        assert config.loss.kendall.pairs == pairs
    assert config.data.features == "cnn_pooled"


def test_every_loss_file_is_tested():
    assert len(list((CONFIGS / "losses").glob("*.yaml"))) == 18


@pytest.mark.parametrize(
    "content",
    ["seed: " + "9" * 5000, "!!timestamp x", "data: &a [*a]", "a: " + "[" * 20_000, "a: 2001-99-99", "? {a: b}\n: c"],
    ids=lambda content: content[:12],
)
def test_whatever_yaml_raises_is_an_input_error(tmp_path, content):
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(InputError):
        load_config(["--config", str(tmp_path / "config.yaml")])
