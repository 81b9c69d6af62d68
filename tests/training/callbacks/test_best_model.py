"""The best epoch's model is the one that stays."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bcls.errors import InputError
from bcls.training.callbacks import BestModel, require_metric


class _Model:
    def __init__(self, saved: list[int]) -> None:
        self.saved = saved
        self.epoch = 0

    def save_pretrained(self, folder) -> None:
        self.saved.append(self.epoch)


def _run(best: BestModel, values: list[float], start: int = 0) -> tuple[list[int], bool]:
    saved: list[int] = []
    module = SimpleNamespace(model=_Model(saved))
    trainer = SimpleNamespace(current_epoch=0, should_stop=False)
    for epoch, value in enumerate(values, start=start):
        trainer.current_epoch = module.model.epoch = epoch
        best.hear(trainer, module, {"rsum": value, "ndcg@10": -value})
        if trainer.should_stop:
            break
    return saved, trainer.should_stop


def test_saves_whenever_it_is_better(tmp_path):
    best = BestModel(tmp_path, "rsum")
    assert _run(best, [1, 3, 2, 3, 4]) == ([0, 1, 4], False)
    assert (best.best, best.best_epoch) == (4, 4)


def test_patience_stops(tmp_path):
    assert _run(BestModel(tmp_path, "rsum", patience=2), [1, 3, 2, 3, 4]) == ([0, 1], True)


def test_a_resumed_run_remembers(tmp_path):
    first = BestModel(tmp_path, "rsum")
    _run(first, [1, 5])
    resumed = BestModel(tmp_path, "rsum")
    resumed.load_state_dict(first.state_dict())
    assert _run(resumed, [4, 6], start=2) == ([3], False)


def test_a_run_that_had_stopped_stops_again(tmp_path):
    first, resumed = BestModel(tmp_path, "rsum", patience=1), BestModel(tmp_path, "rsum", patience=1)
    _run(first, [2, 1])
    resumed.load_state_dict(first.state_dict())
    trainer = SimpleNamespace(should_stop=False)
    resumed.on_train_start(trainer, None)
    assert trainer.should_stop


def test_an_unknown_metric_is_named_with_those_there_are():
    with pytest.raises(InputError, match=r"no metric 'r@1'; there are ndcg@10, rsum"):
        require_metric("r@1", ["rsum", "ndcg@10"])
