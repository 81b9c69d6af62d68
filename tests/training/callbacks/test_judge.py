"""Each epoch is judged once, and everybody hears."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bcls.training.callbacks import Judge
from bcls.training.module import RetrievalModule


@pytest.mark.parametrize("zero", [True, False])
def test_listeners_hear_in_order_on_the_first_process_only(zero):
    module = RetrievalModule.__new__(RetrievalModule)
    super(RetrievalModule, module).__init__()
    module.model = "the model"
    logged, heard = {}, []
    module.log_dict = lambda values, **_: logged.update(values)

    class Listener:
        def __init__(self, name: str) -> None:
            self.name = name

        def hear(self, trainer, module, metrics) -> None:
            heard.append((self.name, metrics))

    judge = Judge(lambda model: {"rsum": 3.0, "model": model}, [Listener("a"), Listener("b")])
    judge.on_train_epoch_end(SimpleNamespace(is_global_zero=zero), module)
    assert logged == {"validation/rsum": 3.0, "validation/model": "the model"}
    expected = {"rsum": 3.0, "model": "the model"}
    assert heard == ([("a", expected), ("b", expected)] if zero else [])
