"""Chunked losses against the same losses of the whole matrix."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import BCLSLoss, ChunkedLoss, InfoNCELoss, KendallLoss, SigmoidLoss, TripletLoss

LOSSES = {
    **{f"triplet {kind}": TripletLoss(negatives=kind) for kind in ("soft", "hard", "semi-hard", "all")},
    "triplet cold": TripletLoss(temperature=0.005, margin=0.0),
    "infonce": InfoNCELoss(),
    **{f"kendall {form}": KendallLoss(pairs=form, margin=0.1) for form in ("boundary", "window", "stride", "first")},
    "kendall narrow": KendallLoss(pairs="first", window=3, gap=0.0),
    "kendall all": KendallLoss(pairs="all", margin=0.1),
    "kendall compiled": KendallLoss(margin=0.1, engine="compiled"),
    "bcls": BCLSLoss(kendall_weight=0.7),
}


@pytest.fixture(scope="session")
def make_batch(make_matrices):
    """Embeddings in float64 as leaves, relevance with ties and holes, positives (several a row, none in some)."""

    def make(images, captions, seed, dimensions=5):
        _, relevance, positives = make_matrices(images, captions, seed)
        random = torch.Generator().manual_seed(seed)
        embeddings = (
            torch.randn(n, dimensions, generator=random, dtype=torch.float64, requires_grad=True)
            for n in (images, captions)
        )
        return *embeddings, relevance, positives

    return make


def gradients(value, *leaves):
    return torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)


def of_the_whole(loss, images, captions, relevance, positives):
    return loss.combine(loss.terms(images @ captions.T, relevance, positives))


def equal(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("name", LOSSES)
@given(
    images=st.integers(1, 9), captions=st.integers(1, 9), seed=st.integers(0, 10_000), block=st.sampled_from([1, 3, 64])
)
@settings(max_examples=12, deadline=None)
def test_value_and_gradients_are_those_of_the_whole_matrix(make_batch, name, images, captions, seed, block):
    x, y, relevance, positives = make_batch(images, captions, seed)
    ours = ChunkedLoss(LOSSES[name], block)(x, y, relevance=relevance, positives=positives)
    theirs = of_the_whole(LOSSES[name], x, y, relevance, positives)
    equal(ours, theirs)
    equal(gradients(ours, x, y), gradients(theirs, x, y))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("worth", [0, 10**9])
def test_gathering_rows_and_multiplying_matrices_agree(make_batch, monkeypatch, name, worth):
    monkeypatch.setattr("bcls.losses.query_blocks.WORTH_GATHERING", worth)
    for dimensions in (3, 60):
        x, y, relevance, positives = make_batch(70, 50, 5, dimensions)
        ours = ChunkedLoss(LOSSES[name], 30)(x, y, relevance=relevance, positives=positives)
        theirs = of_the_whole(LOSSES[name], x, y, relevance, positives)
        equal(ours, theirs)
        equal(gradients(ours, x, y), gradients(theirs, x, y))


@pytest.mark.parametrize("name", LOSSES)
def test_a_function_that_makes_relevance_is_as_good_as_the_matrix(make_batch, name):
    x, y, relevance, positives = make_batch(12, 7, 1)
    sizes = []

    def make(image_rows, caption_rows):
        block = relevance[image_rows, caption_rows]
        sizes.append(block.numel())
        return block

    loss = ChunkedLoss(LOSSES[name], 5)
    assert loss(x, y, relevance=make, positives=positives) == loss(x, y, relevance=relevance, positives=positives)
    assert max(sizes, default=0) <= 25


@pytest.mark.parametrize("name", ["triplet soft", "triplet hard", "infonce", "bcls"])
def test_ids_and_none_name_the_positives(make_batch, name):
    x, y, relevance, _ = make_batch(8, 8, 2)
    loss = ChunkedLoss(LOSSES[name], 3)
    ids = torch.tensor([5, 9, 5, 1, 2, 9, 9, 0])
    of_captions = torch.tensor([9, 5, 5, 77, 2, 0, 0, 1])
    for given_, dense in (
        (None, torch.eye(8, dtype=torch.bool)),
        (ids, ids[:, None] == ids),
        ((ids, of_captions), ids[:, None] == of_captions),
    ):
        ours = loss(x, y, relevance=relevance, positives=given_)
        equal(ours, of_the_whole(LOSSES[name], x, y, relevance, dense))


@pytest.mark.parametrize("name", LOSSES)
def test_the_same_leaf_twice_and_leaves_without_gradient(make_batch, name):
    x, y, relevance, positives = make_batch(6, 6, 3)
    loss = ChunkedLoss(LOSSES[name], 4)
    ours = loss(x, x, relevance=relevance, positives=positives)
    equal(gradients(ours, x), gradients(of_the_whole(LOSSES[name], x, x, relevance, positives), x))
    both = gradients(loss(x, y, relevance=relevance, positives=positives), x, y)
    equal(gradients(loss(x, y.detach(), relevance=relevance, positives=positives), x)[0], both[0])
    equal(gradients(loss(x.detach(), y, relevance=relevance, positives=positives), y)[0], both[1])
    assert not loss(x.detach(), y.detach(), relevance=relevance, positives=positives).requires_grad
    with torch.no_grad():
        assert not loss(x, y, relevance=relevance, positives=positives).requires_grad


@pytest.mark.parametrize("name", ["triplet soft", "triplet hard", "infonce", "bcls"])
def test_gradient_is_that_of_finite_differences(make_batch, name):
    x, y, relevance, positives = make_batch(5, 4, 11, 3)
    loss = ChunkedLoss(LOSSES[name], 3)
    assert torch.autograd.gradcheck(
        lambda a, b: 3 * loss(a, b, relevance=relevance, positives=positives), (x, y), eps=1e-7, atol=1e-5
    )


@pytest.mark.parametrize("learns", ["everything", "captions and temperature", "temperature"])
def test_a_learnable_temperature_gets_its_gradient(make_batch, learns):
    x, y, _, positives = make_batch(7, 5, 4)
    x = x.detach() if learns != "everything" else x
    y = y.detach() if learns == "temperature" else y
    loss = InfoNCELoss(learnable_temperature=True).double()
    leaves = [leaf for leaf in (loss.log_temperature, x, y) if leaf.requires_grad]
    ours, theirs = ChunkedLoss(loss, 3)(x, y, positives=positives), loss(x @ y.T, positives=positives)
    equal(ours, theirs)
    equal(gradients(ours, *leaves), gradients(theirs, *leaves))


def test_terms_and_settings_are_those_of_the_loss(make_batch):
    x, y, relevance, positives = make_batch(6, 6, 5)
    loss = BCLSLoss()
    chunked = ChunkedLoss(loss)
    terms = chunked.terms(x, y, relevance=relevance, positives=positives)
    equal(terms, loss.terms(x @ y.T, relevance, positives))
    loss.kendall_weight = 0.0
    assert chunked(x, y, relevance=relevance, positives=positives) == terms["triplet"]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_every_number_format_also_under_autocast(make_batch, name, dtype):
    x, y, relevance, positives = make_batch(6, 7, 4)
    low_x, low_y = (e.detach().to(dtype).requires_grad_() for e in (x, y))
    loss = ChunkedLoss(LOSSES[name], 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(low_x, low_y, relevance=relevance.float(), positives=positives)
    value.backward()
    expected = loss(low_x.detach().double(), low_y.detach().double(), relevance=relevance.float(), positives=positives)
    assert value.dtype == torch.float32
    assert low_x.grad.dtype == dtype
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_without_negatives_and_without_ordered_pairs_there_is_zero_and_no_nan(name):
    x, y = (torch.randn(3, 4, requires_grad=True) for _ in range(2))
    relevance = torch.full((3, 3), math.nan)
    value = ChunkedLoss(LOSSES[name], 2)(x, y, relevance=relevance, positives=torch.ones(3, 3, dtype=torch.bool))
    value.backward()
    assert value.item() == 0
    assert not x.grad.any()
    assert not y.grad.any()


def test_large_scores_do_not_overflow():
    x = torch.tensor([[1000.0, 0.0], [0.0, 1000.0], [-1000.0, 0.0]], requires_grad=True)
    value = ChunkedLoss(TripletLoss(temperature=0.01), 2)(x, x.detach().flip(0))
    value.backward()
    assert math.isfinite(value.item())
    assert torch.isfinite(x.grad).all()


E34 = torch.randn(3, 4)


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        (torch.randn(3), E34, "image embeddings must be"),
        (E34, torch.zeros(0, 4), "caption embeddings must be"),
        (E34.long(), E34, "floating point"),
        (E34, torch.randn(3, 5), "4 dimensions, caption embeddings 5"),
        (E34, torch.full((3, 4), math.nan), "caption 0 is not finite"),
        (torch.cat([E34, torch.full((1, 4), math.inf)]), E34, "image 3 is not finite"),
        (E34 * 1e25, E34 * 1e25, "overflow"),
        (E34, torch.randn(2, 4), "3 images and 2 captions"),
    ],
)
def test_unusable_embeddings_are_refused(images, captions, message):
    with pytest.raises(InputError, match=message):
        ChunkedLoss(TripletLoss())(images, captions)


@pytest.mark.parametrize(
    ("positives", "message"),
    [
        (torch.zeros(3, 3, dtype=torch.bool), "no pair is positive"),
        (torch.ones(3, 2, dtype=torch.bool), r"\(3, 2\)"),
        (torch.eye(3), "bool"),
        (torch.ones(2, dtype=torch.int64), r"ids of images are \(2,\)"),
        (torch.ones(3), "integers"),
        ((torch.zeros(3, dtype=torch.int64), torch.ones(3, dtype=torch.int64)), "no pair is positive"),
    ],
)
def test_unusable_positives_are_refused(positives, message):
    with pytest.raises(InputError, match=message):
        ChunkedLoss(TripletLoss())(E34, E34, positives=positives)


@pytest.mark.parametrize(
    ("relevance", "message"),
    [
        (None, "needs relevance"),
        (torch.zeros(2, 3), r"\(2, 3\)"),
        ("labels", "a tensor or a function"),
        (lambda i, j: 0.5, "return a tensor"),
        (lambda i, j: torch.zeros(3, 3), r"relevance is \(3, 3\)"),
        (lambda i, j: torch.zeros(3, 3, dtype=torch.int64)[i, j], "floating point"),
        (torch.eye(3) * 1.5, "image 0 and caption 0 is 1.5"),
        (torch.eye(3).flip(0) * torch.tensor([2.0, 1.0, 1.0]), "image 2 and caption 0 is 2"),
    ],
)
def test_unusable_labels_are_refused(relevance, message):
    with pytest.raises(InputError, match=message):
        ChunkedLoss(KendallLoss(), 1)(E34, E34, relevance=relevance)


def test_losses_without_a_chunked_form_are_refused():
    with pytest.raises(InputError, match="SigmoidLoss"):
        ChunkedLoss(SigmoidLoss())
    with pytest.raises(InputError, match="block is 0"):
        ChunkedLoss(TripletLoss(), 0)


def test_all_pairs_are_counted_by_the_compiled_engine_alone():
    with pytest.raises(InputError, match="'compiled' alone"):
        ChunkedLoss(KendallLoss(pairs="all", engine="torch"))(E34, E34, relevance=torch.zeros(3, 3))
