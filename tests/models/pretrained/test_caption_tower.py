"""The caption tower: poolings, padding, captions encoded once, limits."""

from __future__ import annotations

import pytest
import torch

from bcls.errors import InputError
from bcls.models import PretrainedCaptionTower
from bcls.models.pretrained.caption_tower import PaddedTokens
from bcls.models.sentence_encoder import SentenceTokens, SentenceVectors
from tiny_folders import tiny_model

CHOSEN = ["A dog runs on the wet grass .", "Two men", "", "hats " * 60, "skateboarder"]


def embed(tower, captions):
    with torch.no_grad():
        return tower(tower.tokenize(captions))


def test_clip_embeds_as_the_whole_model_does(caption_tower):
    from transformers import AutoModel, AutoTokenizer

    folder = tiny_model("clip")
    tokens = AutoTokenizer.from_pretrained(folder)(CHOSEN, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        expected = AutoModel.from_pretrained(folder).eval().get_text_features(**tokens).pooler_output
    torch.testing.assert_close(embed(caption_tower("clip"), CHOSEN), expected)


def test_siglip_embeds_as_the_whole_model_does_with_every_caption_padded(caption_tower):
    from transformers import AutoModel, AutoTokenizer

    folder = tiny_model("siglip")
    tokens = AutoTokenizer.from_pretrained(folder)(
        CHOSEN, padding="max_length", max_length=32, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        expected = AutoModel.from_pretrained(folder).eval().get_text_features(input_ids=tokens["input_ids"])
    tower = caption_tower("siglip")
    torch.testing.assert_close(embed(tower, CHOSEN), expected.pooler_output)
    tokenized = tower.tokenize(CHOSEN)
    assert isinstance(tokenized, PaddedTokens)
    assert tokenized.select(torch.tensor([1])).ids.shape == (1, 32)


@pytest.mark.parametrize("pooling", ["own", "mean", "max"])
def test_tokens_of_bert_are_pooled_without_padding(pooling, caption_tower):
    tower = caption_tower("bert", dim=5, pooling=pooling)
    tokens = tower.tokenize(CHOSEN)
    assert isinstance(tokens, SentenceTokens)
    with torch.no_grad():
        states = tower.encoder(input_ids=tokens.ids, attention_mask=tokens.mask).last_hidden_state
        for row, length in enumerate(tokens.mask.sum(dim=1).tolist()):
            own = states[row, :length]
            expected = tower.projection(own).amax(dim=0) if pooling == "max" else tower.projection(own.mean(dim=0))
            torch.testing.assert_close(tower(tokens)[row], expected)


@pytest.mark.parametrize(("kind", "pooling"), [("bert", "own"), ("bert", "gpo"), ("clip", "own"), ("clip", "mean")])
def test_an_encoder_runs_once_for_a_batch(kind, pooling, caption_tower):
    tower = caption_tower(kind, dim=5, pooling=pooling)
    runs: list = []
    tower.encoder.register_forward_hook(lambda *_: runs.append(1))
    embed(tower, CHOSEN)
    assert len(runs) == 1


@pytest.mark.parametrize("kind", ["clip", "siglip", "bert"])
@pytest.mark.parametrize("pooling", ["own", "mean"])
def test_captions_are_encoded_once_where_nothing_learns(kind, pooling, caption_tower):
    frozen = caption_tower(kind, dim=5, pooling=pooling, trained="nothing")
    learning = caption_tower(kind, dim=5, pooling=pooling)
    learning.load_state_dict(frozen.state_dict())
    many = CHOSEN * 60
    vectors = frozen.tokenize(many)
    assert isinstance(vectors, SentenceVectors)
    torch.testing.assert_close(frozen(vectors), embed(learning, many), atol=1e-5, rtol=1e-4)


def test_tokens_are_kept_where_the_projection_comes_before_the_pooling(caption_tower):
    tower = caption_tower("bert", dim=5, pooling="gpo", trained="nothing")
    assert isinstance(tower.tokenize(CHOSEN), SentenceTokens)
    assert embed(tower, CHOSEN).shape == (5, 5)


def test_moving_padded_tokens(caption_tower):
    assert caption_tower("siglip").tokenize(CHOSEN).to("meta").ids.device.type == "meta"


def test_no_captions_are_no_vectors(caption_tower):
    for trained in ("nothing", "all"):
        assert len(caption_tower("bert", dim=5, trained=trained).tokenize([])) == 0


def test_captions_are_cut_to_the_lowest_limit(caption_tower):
    assert caption_tower("bert", dim=5).tokenize(CHOSEN).ids.shape[1] == 32
    assert caption_tower("bert", dim=5, longest=7).tokenize(CHOSEN).ids.shape[1] == 7
    assert caption_tower("siglip", longest=9).tokenize(["a"]).ids.shape[1] == 9


def test_roberta_counts_its_positions_from_behind_the_padding(tmp_path):
    from transformers import BertTokenizer, RobertaConfig, RobertaModel

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    RobertaModel(RobertaConfig(**sizes, vocab_size=9, max_position_embeddings=10)).save_pretrained(tmp_path)
    words = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", "hats"]
    BertTokenizer(vocab={word: number for number, word in enumerate(words)}).save_pretrained(tmp_path)
    tower = PretrainedCaptionTower(model=str(tmp_path), dim=5)
    tower.fit([])
    assert tower.tokenize(["hats " * 60]).ids.shape[1] == 8
    assert torch.isfinite(embed(tower.eval(), ["hats " * 60])).all()


def test_a_folder_without_a_tokenizer_is_refused():
    with pytest.raises(InputError, match=r"vit.*(does not take|cannot be loaded)"):
        PretrainedCaptionTower(model=str(tiny_model("vit")), dim=5).fit(["a dog"])


@pytest.mark.parametrize("settings", [{"model": None}, {"longest": 0}, {"pooling": "cls"}, {"dim": -1}])
def test_unusable_settings_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        PretrainedCaptionTower(**{"model": "bert", **settings})
