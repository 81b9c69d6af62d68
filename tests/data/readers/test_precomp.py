"""Precomp folders."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data import read_precomp
from bcls.data.readers import image_runs
from bcls.errors import InputError


def write(folder, features, captions, ids=None, split="train"):
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{split}_ims.npy", features)
    (folder / f"{split}_caps.txt").write_text("".join(f"{caption}\n" for caption in captions), encoding="utf-8")
    if ids is not None:
        (folder / f"{split}_ids.txt").write_text("".join(f"{name}\n" for name in ids))
    return folder


def rows(images, shape=(3,), repeat=1):
    features = np.random.default_rng(0).random((images, *shape)).astype(np.float32)
    return np.repeat(features, repeat, axis=0)


def numbered(count):
    return [f"caption {number}" for number in range(count)]


@pytest.mark.parametrize("ids", ["none", "of images", "of captions"])
@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("shape", [(3,), (4, 3)])
@given(images=st.integers(1, 4), per_image=st.integers(1, 5))
@settings(deadline=None, max_examples=12)
def test_every_layout_of_the_field_gives_the_same_data_set(tmp_path_factory, ids, repeated, shape, images, per_image):
    names = {
        "none": None,
        "of images": list("abcd")[:images],
        "of captions": list(np.repeat(list("abcd")[:images], per_image)),
    }
    features = rows(images, shape)
    given_rows = np.repeat(features, per_image, axis=0) if repeated else features
    folder = write(tmp_path_factory.mktemp("precomp"), given_rows, numbered(images * per_image), names[ids])
    dataset = read_precomp(folder)
    expected = [f"train-{number}" for number in range(images)] if ids == "none" else names["of images"]
    assert dataset.image_ids == expected
    assert dataset.caption_texts == numbered(images * per_image)
    assert dataset.caption_image.tolist() == np.repeat(np.arange(images), per_image).tolist()
    assert dataset.caption_ids[per_image - 1] == f"{expected[0]}#{per_image - 1}"
    np.testing.assert_array_equal(dataset.features["precomp"].gather(dataset.feature_rows("precomp")), features)


def test_splits_that_share_ids_as_those_of_coco_are_told_apart(tmp_path):
    write(tmp_path, rows(2), numbered(4), ["391895", "522418"], split="test")
    write(tmp_path, rows(3), numbered(6), ["391895", "522418", "184613"], split="testall")
    dataset = read_precomp(tmp_path)
    whole, part = dataset.split("testall"), dataset.split("test")
    assert whole.image_ids == ["391895", "522418", "184613"]
    assert part.image_ids == ["test/391895", "test/522418"]
    assert part.caption_ids == ["test/391895#0", "test/391895#1", "test/522418#0", "test/522418#1"]
    found = part.features["precomp"].gather(part.feature_rows("precomp"))
    np.testing.assert_array_equal(found, rows(2).astype(found.dtype))


def test_several_splits_share_one_store(tmp_path):
    write(tmp_path, rows(2), numbered(4))
    write(tmp_path, rows(3), numbered(3), split="dev")
    dataset = read_precomp(tmp_path)
    assert dataset.splits == {"dev": 3, "train": 2}
    part = dataset.split("train")
    np.testing.assert_array_equal(part.features["precomp"].gather(part.feature_rows("precomp")), rows(2))


def test_a_caption_with_a_foreign_line_separator_is_one_caption(tmp_path):
    dataset = read_precomp(write(tmp_path, rows(1), ["a dog\u2028runs", "a\x0bcat"]))
    assert dataset.caption_texts == ["a dog\u2028runs", "a\x0bcat"]


def test_an_id_may_hold_a_space(tmp_path):
    assert read_precomp(write(tmp_path, rows(2), numbered(4), ["a dog.jpg", "b.jpg"])).image_ids == [
        "a dog.jpg",
        "b.jpg",
    ]


@pytest.mark.parametrize(
    ("features", "captions", "ids", "message"),
    [
        (rows(2), 5, None, r"train_caps\.txt: 5 captions do not divide among 2 rows of train_ims\.npy"),
        (rows(2), 1, None, r"train_caps\.txt: 1 captions do not divide among 2 rows"),
        (rows(2), 0, None, r"train_caps\.txt: 0 captions do not divide among 2 rows"),
        (rows(2)[:0], 4, None, r"train_caps\.txt: 4 captions do not divide among 0 rows"),
        (rows(2), 4, [], r"train_ids\.txt: 0 ids do not fit 4 captions"),
        (rows(4), 4, [], r"train_ids\.txt: 0 ids do not fit 4 captions"),
        (rows(2), 4, "abc", r"train_ids\.txt: 3 ids do not fit 4 captions"),
        (rows(2), 4, "a", r"train_ids\.txt: names 1 images for 4 captions, but train_ims\.npy has 2 rows"),
        (rows(4), 8, "xx", r"train_ids\.txt: names 2 images for 8 captions, but train_ims\.npy has 4 rows"),
        (rows(2), 4, "abba", r"train_ids\.txt: line 4: the id 'a' comes back after another one"),
        (rows(5), 5, "aabbb", r"train_ims\.npy: rows 1 and 2 differ, but their captions belong to one image"),
        (rows(6)[[0, 0, 1, 2, 2, 3]], 6, "aabccc", r"train_ims\.npy: rows 5 and 6 differ"),
        (rows(4)[[0, 0, 1, 1]], 4, "abcd", r"train_ids\.txt: every caption has another id, but the rows"),
        (rows(2), 4, ["a", ""], r"train_ids\.txt: line 2: is blank, not an id"),
        (rows(2), 4, "aa", "the id 'a' occurs twice"),
        (rows(6)[[0, 0, 1, 1, 1, 1]], 6, None, r"train_ims\.npy: its 6 rows .* all multiples of 2.*train_ids\.txt"),
        (rows(6)[[0, 0, 1, 2, 3]], 5, None, r"train_ims\.npy: .* 3 of 4 of 1: .* add train_ids\.txt"),
        (rows(6)[[0, 1, 2, 0, 3]], 5, None, r"train_ims\.npy: rows 1 and 4 are equal but not neighbours.*train_ids"),
        (np.zeros((2, 0), dtype=np.float32), 4, None, r"train_ims\.npy: its rows hold no numbers"),
        (rows(2, (2, 2, 2)), 2, None, "features must be"),
        (np.zeros((2, 3), dtype=np.int64), 2, None, r"train_ims\.npy: features must be floating point"),
        (np.array(1.0), 2, None, r"train_ims\.npy: not a readable \.npy array"),
    ],
)
def test_counts_that_do_not_fit_are_refused(tmp_path, features, captions, ids, message):
    with pytest.raises(InputError, match=message):
        read_precomp(write(tmp_path, features, numbered(captions), ids))


def cut(file):
    file.write_bytes(file.read_bytes()[:-4])


def objects(file):
    np.save(file, np.array([{}, {}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize("damage", [cut, objects])
def test_damaged_features_are_named(tmp_path, damage):
    write(tmp_path, rows(2), numbered(4))
    damage(tmp_path / "train_ims.npy")
    with pytest.raises(InputError, match=r"train_ims\.npy: not a readable \.npy array"):
        read_precomp(tmp_path)


def test_missing_features_are_named(tmp_path):
    write(tmp_path, rows(2), numbered(4))
    (tmp_path / "train_ims.npy").unlink()
    with pytest.raises(InputError, match=r"train_ims\.npy: not a readable \.npy array .*No such file"):
        read_precomp(tmp_path)


def test_captions_that_are_not_utf8_are_named_by_their_line(tmp_path):
    write(tmp_path, rows(2), numbered(4))
    (tmp_path / "train_caps.txt").write_bytes(b"a\nb\ncaf\xe9\nd\n")
    with pytest.raises(InputError, match=r"train_caps\.txt: line 3: not UTF-8 text"):
        read_precomp(tmp_path)


def test_splits_of_other_shapes_are_refused(tmp_path):
    write(tmp_path, rows(2), numbered(4))
    write(tmp_path, rows(2, (5,)), numbered(4), split="dev")
    with pytest.raises(InputError, match="shards disagree on the shape of a row"):
        read_precomp(tmp_path)


def test_a_folder_without_captions_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no \*_caps\.txt there"):
        read_precomp(tmp_path)


COUNTS = st.lists(st.integers(1, 6), min_size=1, max_size=12)


@given(counts=COUNTS, ids=st.booleans(), repeated=st.booleans(), shape=st.sampled_from([(3,), (2, 3)]))
@settings(deadline=None, max_examples=120)
def test_captions_never_go_to_a_wrong_image(tmp_path_factory, counts, ids, repeated, shape):
    names = [f"n{number}" for number in range(len(counts))]
    features = rows(len(counts), shape)
    given_rows = np.repeat(features, counts, axis=0) if repeated else features
    captions = [f"{k} of {number}" for number, count in enumerate(counts) for k in range(count)]
    given_ids = list(np.repeat(names, counts)) if ids else None
    folder = write(tmp_path_factory.mktemp("precomp"), given_rows, captions, given_ids)
    even = len(set(counts)) == 1
    if not ids and not repeated and not even:
        return  # only ids can tell; the convention of the field is as many captions for every image
    mostly_single, multiples = 2 * counts.count(1) >= len(counts), math.gcd(*counts) == min(counts) > 1
    if not ids and not even and (mostly_single or multiples):
        with pytest.raises(InputError, match=r"add train_ids\.txt with the id of its image for each caption"):
            read_precomp(folder)
        return
    dataset = read_precomp(folder)
    assert len(dataset.images) == len(counts)
    found = [text.rpartition(" ")[2] for text in dataset.caption_texts]
    assert [int(number) for number in found] == dataset.caption_image.tolist()
    store = dataset.features["precomp"]
    np.testing.assert_array_equal(store.gather(dataset.feature_rows("precomp")), features)
    if ids:
        assert dataset.image_ids == names


def test_every_row_is_compared(tmp_path):
    counts = [5] * 150 + [4, 6] + [5] * 48
    features = rows(len(counts), repeat=counts)
    dataset = read_precomp(write(tmp_path, features, numbered(len(features))))
    assert np.bincount(dataset.caption_image).tolist() == counts


def test_rows_of_nan_are_compared_by_their_bytes(tmp_path):
    features = np.repeat(np.array([[np.nan, 1.0], [2.0, np.nan]], dtype=np.float32), 5, axis=0)
    assert len(read_precomp(write(tmp_path, features, numbered(10))).images) == 2


def test_the_borders_of_blocks_are_compared(tmp_path, monkeypatch):
    counts = [3, 1, 5, 4, 2, 4]
    features = rows(len(counts), repeat=counts)
    for rows_each in range(2, 9):
        monkeypatch.setattr(image_runs, "BLOCK_BYTES", rows_each * features.itemsize * 3)
        assert image_runs.runs_of_equal_rows(features, "here", "") == counts


def test_what_is_no_part_of_a_split_is_counted(tmp_path):
    write(tmp_path, rows(2), numbered(4))
    np.save(tmp_path / "test_ims.npy", rows(2))
    (tmp_path / "id_mapping.json").write_text("{}")
    (kind,) = read_precomp(tmp_path).left_out
    assert (kind.count, kind.example) == (2, "id_mapping.json")


def test_a_carriage_return_within_a_caption_shifts_no_caption(tmp_path):
    write(tmp_path, rows(2), numbered(4))
    (tmp_path / "train_caps.txt").write_bytes(b"a\nb\rc\nd\n")
    with pytest.raises(InputError, match=r"train_caps\.txt: line 2: a carriage return"):
        read_precomp(tmp_path)


def test_a_blank_line_that_breaks_the_count_is_named(tmp_path):
    write(tmp_path, rows(2), [*numbered(4), ""])
    with pytest.raises(InputError, match=r"5 captions do not divide .* \(1 lines are blank, the first is line 5\)"):
        read_precomp(tmp_path)
