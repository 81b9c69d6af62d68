"""Labels spoilt on purpose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from bcls.errors import InputError
from bcls.relevance import NoisyRelevance
from bcls.relevance.noise import mixed

IMAGES, EACH = 300, 3
OWNER = np.repeat(np.arange(IMAGES), EACH)
EVERYTHING = np.arange(IMAGES), np.arange(IMAGES * EACH)


class _Labels:
    """All labels in one matrix: skewed like a scorer's, all different, own captions 1."""

    def __init__(self, unknown: float = 0.0) -> None:
        random = np.random.default_rng(0)
        self.values = (0.99 * random.random((IMAGES, IMAGES * EACH)) ** 3).astype(np.float32)
        self.values[random.random(self.values.shape) < unknown] = np.nan
        self.values[OWNER, np.arange(len(OWNER))] = 1.0

    def matrix(self, images, captions):
        return self.values[np.ix_(images, captions)]


def _noisy(share: float, seed: int = 0, unknown: float = 0.0) -> NoisyRelevance:
    return NoisyRelevance(_Labels(unknown), OWNER, share=share, seed=seed)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 1.0])
def test_the_share_of_labels_and_own_captions_untouched(share):
    before, after = _Labels().matrix(*EVERYTHING), _noisy(share).matrix(*EVERYTHING)
    own = before == 1
    assert own.sum() == len(OWNER)
    assert (after[own] == 1).all()
    pairs = (~own).sum()
    expected = pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / pairs) + 1e-4)  # 1e-4: replaced by itself
    assert (before != after)[~own].mean() == expected


def test_the_noise_is_of_other_pairs_and_the_distribution_stays():
    before, after = _Labels().matrix(*EVERYTHING), _noisy(0.5).matrix(*EVERYTHING)
    own, spoilt = before == 1, before != after
    assert np.isin(after[spoilt], before[~own]).all()
    assert ks_2samp(before[~own], after[spoilt]).statistic < 0.01
    assert abs(np.corrcoef(before[spoilt], after[spoilt])[0, 1]) < 0.02
    # No image and no caption is spoilt more than others: shares of 900 and 300 labels.
    assert abs(spoilt.mean(axis=1) - 0.5).max() < 5 * 0.5 / np.sqrt(900)
    assert abs(spoilt.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(300)


def test_a_pair_has_the_same_label_in_every_batch():
    whole = _noisy(0.4).matrix(*EVERYTHING)
    random = np.random.default_rng(1)
    noisy = _noisy(0.4)
    for _ in range(3):
        images, captions = random.permutation(IMAGES)[:40], random.permutation(IMAGES * EACH)[:50]
        np.testing.assert_array_equal(noisy.matrix(images, captions), whole[np.ix_(images, captions)])


def test_another_seed_is_other_noise_and_more_noise_spoils_the_same_and_more():
    before = _Labels().matrix(*EVERYTHING)
    one, other, more = (_noisy(share, seed).matrix(*EVERYTHING) for share, seed in [(0.2, 0), (0.2, 1), (0.4, 0)])
    assert ((one != before) & (other != before)).mean() == pytest.approx(0.04, abs=0.005)
    assert (more != before)[one != before].all()


def test_unknown_stays_unknown_and_none_comes_in():
    before, after = _Labels(unknown=0.5).matrix(*EVERYTHING), _noisy(0.6, unknown=0.5).matrix(*EVERYTHING)
    np.testing.assert_array_equal(np.isnan(before), np.isnan(after))


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match=r"1\.5"):
        _noisy(1.5)
    with pytest.raises(InputError, match="no label of other captions is known"):
        _noisy(0.5, unknown=1.0)


def test_the_mixing_is_that_of_the_published_generator():
    def reference(number: int) -> int:
        mask = (1 << 64) - 1
        number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & mask
        number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & mask
        return number ^ (number >> 31)

    # The first output of SplitMix64 from state 0 is the mix of its increment.
    assert reference(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    numbers = np.random.default_rng(0).integers(0, 2**63, 50, dtype=np.uint64)
    assert mixed(numbers).tolist() == [reference(number) for number in numbers.tolist()]
