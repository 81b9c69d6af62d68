"""Batches in order, one ahead, taken up again in the middle of an epoch."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data import UniqueImageBatchSampler
from bcls.data.loader import BatchLoader
from bcls.errors import InputError

CAPTION_IMAGE = np.repeat(np.arange(10), 3)
PER_EPOCH = 7  # 30 captions in batches of 4


def loader(assemble=np.ndarray.tolist, seed=0):
    return BatchLoader(UniqueImageBatchSampler(CAPTION_IMAGE, 4, seed=seed), assemble)


def epochs(given_loader, count):
    return [list(given_loader) for _ in range(count)]


def test_batches_are_those_of_the_sampler_epoch_after_epoch():
    sampler = UniqueImageBatchSampler(CAPTION_IMAGE, 4)
    for epoch, batches in enumerate(epochs(loader(), 3)):
        sampler.set_epoch(epoch)
        assert batches == [batch.tolist() for batch in sampler]
        assert len(batches) == len(loader()) == PER_EPOCH


@given(given_batches=st.integers(0, 2 * PER_EPOCH + 1))
@settings(deadline=None)
def test_after_any_batch_a_new_loader_goes_on_with_the_next(given_batches):
    unbroken = [batch for batches in epochs(loader(), 3) for batch in batches]
    first, seen = loader(), []
    while len(seen) < given_batches:
        seen += islice(first, given_batches - len(seen))
    second = loader()
    second.load_state_dict(first.state_dict())
    while len(seen) < len(unbroken):
        seen += second
    assert seen == unbroken


def test_a_state_may_be_kept_after_every_batch_of_one_run():
    running = loader()
    unbroken = [batch for batches in epochs(loader(), 2) for batch in batches]
    states = [dict(running.state_dict()) for _ in range(2) for _ in running]
    assert states == [{"epoch": n // PER_EPOCH, "given": n % PER_EPOCH} for n in range(1, 2 * PER_EPOCH + 1)]
    resumed = loader()
    resumed.load_state_dict(states[9])
    assert list(resumed) == unbroken[10:]


def test_a_loop_that_was_left_goes_on_where_it_was_left():
    left = loader()
    first = list(islice(left, 3))
    assert first + list(left) == list(loader())


def test_a_state_past_the_end_begins_the_next_epoch():
    resumed = loader()
    resumed.load_state_dict({"epoch": 0, "given": PER_EPOCH})
    assert list(resumed) == []
    assert list(resumed) == epochs(loader(), 2)[1]


def test_one_batch_is_made_ahead_and_not_two():
    made, second = [], threading.Event()

    def assemble(rows):
        made.append(rows.tolist())
        if len(made) == 2:
            second.set()
        return rows.tolist()

    batches = iter(loader(assemble))
    first = next(batches)
    assert second.wait(5)
    assert made[0] == first
    assert len(made) == 2
    batches.close()
    assert len(made) == 2


def test_batches_are_made_one_after_another_on_another_thread():
    threads, running = set(), []

    def assemble(rows):
        threads.add(threading.get_ident())
        running.append(1)
        assert len(running) == 1
        running.pop()
        return rows.tolist()

    list(loader(assemble))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("error", [InputError("a.jpg: broken"), RuntimeError("no memory"), KeyboardInterrupt()])
def test_an_error_reaches_the_caller_after_the_batches_before_it(error):
    failing = {"left": 3}

    def assemble(rows):
        failing["left"] -= 1
        if failing["left"] == 0:
            raise error
        return rows.tolist()

    broken, seen = loader(assemble), []
    with pytest.raises(type(error)) as caught:
        seen.extend(iter(broken))
    assert caught.value is error
    assert broken.state_dict() == {"epoch": 0, "given": 2}
    assert list(broken) == list(loader())[2:]


def test_no_thread_is_left_behind():
    before = set(threading.enumerate())
    list(islice(loader(), 2))
    list(loader())
    assert set(threading.enumerate()) <= before
