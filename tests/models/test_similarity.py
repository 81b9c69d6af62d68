"""One model for single vectors and for sets of vectors."""

from __future__ import annotations

import pytest
import torch

from bcls.errors import InputError
from bcls.models import BagOfWordsTower, BiGRUTower, PooledFeatureTower, RegionFeatureTower, RetrievalModel, Similarity
from bcls.models.similarity import real_members


class BestPair(Similarity):
    """The best cosine of any region with any word."""

    takes_sets = True

    def __init__(self, *, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, images: torch.Tensor, captions: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ird,cwd->icrw", images, captions).amax(dim=(2, 3))


def test_sets_are_the_towers_members_at_length_1(make_model, captions):
    model, images = make_model("region-gpo", "bigru-gpo")
    of_sets = RetrievalModel(model.image_tower, model.caption_tower, BestPair()).eval()
    regions, words = of_sets.encode_image(images), of_sets.encode_text(captions)
    assert regions.shape == (8, 4, 6)
    torch.testing.assert_close(regions.norm(dim=2), torch.ones(8, 4))
    tokens = model.caption_tower.tokenize(captions)
    assert real_members(words).sum(dim=1).tolist() == tokens.lengths.tolist()
    expected = torch.nn.functional.normalize(model.caption_tower.members(tokens), dim=2)
    torch.testing.assert_close(words, expected)
    torch.testing.assert_close(of_sets(images, captions), BestPair()(regions, words))


def test_pooled_members_are_the_vector(make_model, captions):
    model, images = make_model("region-mean", "bigru-max")
    torch.testing.assert_close(model.image_tower(images), model.image_tower.members(images).mean(dim=1))
    tokens = model.caption_tower.tokenize(captions)
    for row, length in enumerate(tokens.lengths.tolist()):
        members = model.caption_tower.members(tokens)[row, :length]
        torch.testing.assert_close(model.caption_tower(tokens)[row], members.amax(dim=0))


def test_nothing_to_encode_gives_no_sets(make_model):
    model, images = make_model("region-gpo", "bigru-gpo")
    of_sets = RetrievalModel(model.image_tower, model.caption_tower, BestPair())
    assert of_sets.encode_image(images[:0]).shape == (0, 1, 6)
    assert of_sets.encode_text([]).shape == (0, 1, 6)


@pytest.mark.parametrize(
    ("image_tower", "caption_tower", "name"),
    [
        (PooledFeatureTower(dim=4), BiGRUTower(dim=4), "PooledFeatureTower"),
        (RegionFeatureTower(dim=4), BagOfWordsTower(dim=4), "BagOfWordsTower"),
    ],
)
def test_towers_of_single_vectors_are_refused_for_sets(image_tower, caption_tower, name):
    with pytest.raises(InputError, match=f"BestPair compares sets of vectors, but {name} gives one vector each"):
        RetrievalModel(image_tower, caption_tower, BestPair())
    tower = image_tower if name == "PooledFeatureTower" else caption_tower
    with pytest.raises(InputError, match=f"{name} gives one vector each"):
        tower.members(torch.zeros(1, 4))


def test_a_similarity_of_another_size_is_refused():
    with pytest.raises(InputError, match="the similarity's dim is 5, the towers' 4"):
        RetrievalModel(RegionFeatureTower(dim=4), BiGRUTower(dim=4), BestPair(dim=5))


def test_a_similarity_of_others_is_not_saved(make_model, tmp_path):
    model, _ = make_model("region-gpo", "bigru-gpo")
    with pytest.raises(InputError, match="BestPair cannot be saved"):
        RetrievalModel(model.image_tower, model.caption_tower, BestPair()).save_pretrained(tmp_path / "model")


def test_sets_are_refused_where_vectors_are_needed(make_model):
    model, _ = make_model("region-gpo", "bigru-gpo")
    model.require_vectors()
    with pytest.raises(InputError, match="BestPair compares sets of vectors"):
        RetrievalModel(model.image_tower, model.caption_tower, BestPair()).require_vectors()
