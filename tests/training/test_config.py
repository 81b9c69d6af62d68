"""Settings that make no sense are refused by name."""

from __future__ import annotations

import pytest

from bcls.errors import InputError
from bcls.text import UnicodeWords, WordCharacters
from bcls.training import OptimizationConfig, load_config


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_that_must_be_positive(name, value):
    with pytest.raises(InputError, match=f"optimization.{name} is {value}"):
        OptimizationConfig(**{name: value})


@pytest.mark.parametrize("name", ["warmup", "hard_negatives_start", "kendall_start", "kendall_warmup"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_shares_are_shares(name, value):
    with pytest.raises(InputError, match=f"optimization.{name} is {value}"):
        OptimizationConfig(**{name: value})


def test_training_runs_on_one_device():
    assert OptimizationConfig(devices=1).devices == 1
    with pytest.raises(InputError, match=r"optimization\.devices is 2; training runs on one device"):
        OptimizationConfig(devices=2)


@pytest.mark.parametrize("name", ["seed", "checkpoint_steps"])
def test_run_settings_that_must_not_be_negative(words, name):
    with pytest.raises(InputError, match=f"{name} is -1; it must not be negative"):
        load_config(words(f"--{name}", "-1"))


@pytest.mark.parametrize("loss", [["BCLSLoss"], ["TripletLoss", "--loss.negatives", "soft"]])
def test_only_hard_negatives_can_wait(words, loss):
    with pytest.raises(InputError, match=r"hard_negatives_start is 0\.2, but the loss is (BCLS|Triplet)Loss\("):
        load_config(words("--loss", *loss, "--optimization.hard_negatives_start", "0.2"))


def test_a_tokenizer_is_named_in_the_config_and_comes_back_from_its_text(words, tmp_path):
    tower = ["--model.caption_tower", "BagOfWordsTower", "--model.caption_tower.tokenizer", "WordCharacters"]
    scorer = ["--labels.scorer", "CiderScorer", "--labels.scorer.tokenizer", "UnicodeWords"]
    config, text = load_config(words(*tower, *scorer))
    assert config.model.caption_tower.tokenizer == WordCharacters()
    assert config.labels.scorer.tokenizer == UnicodeWords()
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    again, same = load_config(["--config", str(tmp_path / "config.yaml")])
    assert same == text
    assert again.model.caption_tower.tokenizer == WordCharacters()
    with pytest.raises(InputError, match="tokenizer"):
        load_config(words(*tower[:2], "--model.caption_tower.tokenizer", "Nonsense"))
