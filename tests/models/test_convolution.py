"""The convolutional tower: how pictures are prepared, normalised, shifted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.models import ConvTower
from bcls.models.convolution import _shifted


@pytest.fixture
def tower() -> ConvTower:
    torch.manual_seed(0)
    return ConvTower(dim=6, channels=(8, 16), image_size=12, dropout=0.0)


def test_pictures_of_any_size_become_squares_of_bytes(tower, make_pictures):
    pictures = [*make_pictures(2, 40, 7), *make_pictures(1, 3, 50)]
    prepared = tower.prepare(pictures)
    assert prepared.shape == (3, 3, 12, 12)
    assert prepared.dtype == torch.uint8
    assert prepared.is_contiguous()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_colours_come_first_in_the_order_red_green_blue(tower, mode):
    picture = Image.new("RGB", (20, 20), (255, 0, 0)).convert(mode)
    assert tower.prepare([picture])[0, :, 6, 6].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("mode", "value"), [("L", 90), ("1", 255), ("LA", 90)])
def test_pictures_without_colour_have_it_thrice(tower, mode, value):
    colour = (value, 255) if mode == "LA" else value
    assert tower.prepare([Image.new(mode, (20, 20), colour)]).unique().tolist() == [value]


def test_left_stays_left_and_up_stays_up(tower):
    picture = Image.new("RGB", (40, 20))
    picture.paste((255, 0, 0), (0, 0, 20, 20))
    picture.paste((0, 0, 255), (0, 0, 40, 10))
    red, _, blue = tower.prepare([picture])[0]
    assert (blue[:5] > 200).all()
    assert (blue[7:] < 50).all()
    assert (red[7:, :5] > 200).all()
    assert (red[7:, 7:] < 50).all()


def test_a_picture_of_the_right_size_is_kept_as_it_is(tower, make_pictures):
    picture = make_pictures(1, 12, 12)[0]
    np.testing.assert_array_equal(tower.prepare([picture])[0].permute(1, 2, 0), np.asarray(picture))


def test_each_colour_is_standardised(tower, make_pictures):
    pictures = make_pictures(8)
    tower.fit(pictures)
    pixels = tower.prepare(pictures).double().numpy()
    np.testing.assert_allclose(tower.mean.flatten(), pixels.mean(axis=(0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(tower.deviation.flatten(), pixels.std(axis=(0, 2, 3), ddof=1), rtol=1e-5)


def test_pictures_of_one_colour_can_be_learnt_from(tower):
    tower.fit([Image.new("RGB", (20, 20), "green")] * 2)
    embeddings = tower.eval()(tower.prepare([Image.new("RGB", (20, 20), colour) for colour in ("green", "red")]))
    assert torch.isfinite(embeddings).all()


@pytest.mark.parametrize("size", [1, 5, 8, 13, 64])
@pytest.mark.parametrize("channels", [(8,), (8, 16, 24)])
def test_any_picture_size_and_number_of_stages(size, channels, make_pictures):
    tower = ConvTower(dim=5, channels=channels, image_size=size)
    tower.fit(make_pictures(2))
    assert tower(tower.prepare(make_pictures(3))).shape == (3, 5)


def test_each_stage_halves_the_map():
    tower = ConvTower(channels=(8, 16, 24), image_size=32)
    assert tower.stages(torch.zeros(1, 3, 32, 32)).shape == (1, 24, 4, 4)


def test_a_shift_is_a_window_of_the_picture_with_its_edges_repeated():
    pixels = torch.arange(2 * 3 * 6 * 6, dtype=torch.float32).reshape(2, 3, 6, 6)
    padded = np.pad(pixels.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    windows = {(d, r): padded[..., d : d + 6, r : r + 6] for d in range(5) for r in range(5)}
    seen = set()
    for seed in range(300):
        torch.manual_seed(seed)
        shifted = _shifted(pixels, 2).numpy()
        seen.add(next(place for place, window in windows.items() if np.array_equal(window, shifted)))
    assert seen == set(windows)


def test_pictures_are_shifted_in_training_only(tower, make_pictures):
    pictures = make_pictures(4)
    tower.fit(pictures)
    prepared = tower.prepare(pictures)
    embeddings = {tuple(tower.train()(prepared).flatten().tolist()) for _ in range(10)}
    assert len(embeddings) > 1
    assert len({tuple(tower.eval()(prepared).flatten().tolist()) for _ in range(10)}) == 1


def test_without_a_shift_training_sees_the_same_pictures(make_pictures):
    tower = ConvTower(dim=6, channels=(8,), image_size=12, shift=0, dropout=0.0)
    tower.fit(make_pictures(4))
    prepared = tower.prepare(make_pictures(4))
    assert torch.equal(tower.train()(prepared), tower.eval()(prepared))
