"""A resumed run keeps its words."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.models import BagOfWordsTower, BiGRUTower, PooledFeatureTower, RetrievalModel, SumCaptionTower
from bcls.text import WordCharacters
from bcls.training.resumed_words import refuse_other_words

HINDI = ["बाल लाल", "बोलो लीला"]


def tower_of(kind, tokenizer=None, captions=HINDI):
    settings = {"dim": 4, "minimum_count": 1, "tokenizer": tokenizer}
    tower = {
        "bag": lambda: BagOfWordsTower(**settings),
        "gru": lambda: BiGRUTower(word_dim=3, **settings),
        "sum": lambda: SumCaptionTower(towers=[BiGRUTower(word_dim=3, **settings), BagOfWordsTower(**settings)]),
    }[kind]()
    tower.fit(captions)
    return tower


@pytest.mark.parametrize("kind", ["bag", "gru", "sum"])
def test_another_rule_for_words_is_refused(kind, tmp_path):
    model = RetrievalModel(PooledFeatureTower(dim=4), tower_of(kind, WordCharacters()))
    model.image_tower.fit(np.random.default_rng(0).normal(size=(10, 6)))
    refuse_other_words(tmp_path / "model", tower_of(kind))  # nothing trained yet
    model.save_pretrained(tmp_path / "model")
    refuse_other_words(tmp_path / "model", tower_of(kind, WordCharacters()))
    with pytest.raises(InputError, match="its vocabulary is not the one found now"):
        refuse_other_words(tmp_path / "model", tower_of(kind))
