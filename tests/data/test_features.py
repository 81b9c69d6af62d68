"""The feature store: what comes back, what is read, what is refused."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data import FeatureStore, write_features
from bcls.data.features import open_array
from bcls.errors import InputError
from bcls.evaluation.array_files import read_array

IDS = [f"i{row}" for row in range(7)]
SHAPES = [(7, 3), (7, 2, 3)]


@pytest.fixture(params=SHAPES, ids=["pooled", "regions"])
def features(request):
    return np.arange(np.prod(request.param), dtype=np.float16).reshape(request.param)


@pytest.mark.parametrize("shard_rows", [1, 2, 3, 7, 100])
def test_what_was_written_comes_back(tmp_path, features, shard_rows):
    written = write_features(tmp_path / "f", IDS, [features[:4], features[4:]], shard_rows=shard_rows)
    opened = FeatureStore.open(tmp_path / "f")
    assert len(list((tmp_path / "f").glob("*.npy"))) == -(-7 // shard_rows)
    for store in (written, opened):
        assert store.ids == IDS
        assert (store.shape, store.dtype, len(store)) == (features.shape, np.float16, 7)
        np.testing.assert_array_equal(store.gather(np.arange(7)), features)


@given(rows=st.lists(st.integers(0, 6)), cuts=st.sets(st.integers(0, 7), max_size=3), shape=st.sampled_from(SHAPES))
@settings(deadline=None, max_examples=60)
def test_rows_come_in_the_order_asked_for_whatever_the_shards(rows, cuts, shape):
    whole = np.random.default_rng(0).random(shape).astype(np.float16)
    store = FeatureStore(np.split(whole, sorted(cuts)), IDS, "here")
    rows = np.array(rows, dtype=np.int64)
    gathered = store.gather(rows)
    assert gathered.dtype == np.float16
    np.testing.assert_array_equal(gathered, whole[rows])


def test_shards_stay_on_disk(tmp_path, features):
    write_features(tmp_path / "f", IDS, [features], shard_rows=3)
    array = open_array(tmp_path / "f" / "00000.npy")
    assert isinstance(array, np.memmap)
    assert not array.flags.writeable
    gathered = FeatureStore.open(tmp_path / "f").gather(np.array([0, 6]))
    gathered[:] = 0
    assert FeatureStore.open(tmp_path / "f").gather(np.array([6])).any()


def test_more_than_nine_shards_keep_their_order(tmp_path):
    features = np.arange(25, dtype=np.float16)[:, None]
    store = write_features(tmp_path / "f", [str(n) for n in range(25)], [features], shard_rows=2)
    np.testing.assert_array_equal(store.gather(np.arange(25)), features)


def test_the_fingerprint_tells_ids_rows_and_format_apart_and_no_shards(features):
    store = FeatureStore([features], IDS, "here")
    assert store.fingerprint() == FeatureStore([features[:3], features[3:]], IDS, "there").fingerprint()
    others = [
        FeatureStore([features], IDS[::-1], "here"),
        FeatureStore([features + 1], IDS, "here"),
        FeatureStore([features.astype(np.float32)], IDS, "here"),
    ]
    assert store.fingerprint() not in {other.fingerprint() for other in others}
    empty = FeatureStore([features[:0]], [], "here")
    assert empty.fingerprint() == empty.fingerprint()


def test_a_wider_format_is_kept_in_half_precision(tmp_path):
    store = write_features(tmp_path / "f", ["a"], [np.array([[1 / 3, 60000.0]])])
    assert store.dtype == np.float16
    assert store.gather(np.array([0])).tolist() == [[np.float16(1 / 3), np.float16(60000)]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_store_gives_the_format_on_disk(tmp_path, save_array, dtype):
    array = save_array(tmp_path / "f" / "0.npy", (7, 3), IDS, dtype)
    store = FeatureStore.open(tmp_path / "f")
    assert store.dtype == store.gather(np.array([0])).dtype == dtype
    np.testing.assert_array_equal(store.gather(np.arange(7)), array)


def test_a_single_file_has_ids_of_its_own_or_beside_it(tmp_path, save_array):
    save_array(tmp_path / "cnn.npy", (2, 3), ["a", "b"])
    assert FeatureStore.open(tmp_path / "cnn.npy").ids == ["a", "b"]
    (tmp_path / "cnn.ids.json").write_text('["c", 4]')
    assert FeatureStore.open(tmp_path / "cnn.npy").ids == ["c", "4"]


def test_rows_are_found_by_id(tmp_path, features):
    store = FeatureStore([features], IDS, "here")
    assert store.rows(["i5", "i0", "i5"]).tolist() == [5, 0, 5]
    assert store.missing(["i5", "x", "i0", "y"]) == ["x", "y"]


def test_missing_ids_are_counted_and_named(features):
    store = FeatureStore([features], IDS, "here")
    with pytest.raises(InputError, match=r"here: 4 of 5 images have no features, e\.g\. w, x, y$"):
        store.rows(["i5", "w", "x", "y", "z"])


@pytest.mark.parametrize(
    ("shapes", "ids", "message"),
    [
        ([(3, 2)], "ab", "here: 3 rows of features, but 2 ids"),
        ([(1, 2), (1, 2)], "abc", "here: 2 rows of features, but 3 ids"),
        ([(1, 2), (1, 3)], "ab", "here: shards disagree on the shape of a row"),
        ([(1, 2), (1, 2, 2)], "ab", "here: shards disagree on the shape of a row"),
        ([(2,)], "ab", r"here: features must be \(images, dim\) or \(images, regions, dim\), not \(2,\)"),
        ([(2, 1, 1, 1)], "ab", r"not \(2, 1, 1, 1\)"),
        ([(3, 2)], "aba", "here: the id 'a' occurs twice"),
    ],
)
def test_what_does_not_fit_is_refused(shapes, ids, message):
    with pytest.raises(InputError, match=message):
        FeatureStore([np.zeros(shape, dtype=np.float16) for shape in shapes], list(ids), "here")


class Alarm:
    """Leaves a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.mark.parametrize("raw", [True, False], ids=["bare pickle", "objects in .npy"])
def test_pickle_is_refused_and_never_run(tmp_path, raw):
    file, trace = tmp_path / "f.npy", tmp_path / "it ran"
    if raw:
        file.write_bytes(pickle.dumps(Alarm(trace)))
    else:
        np.save(file, np.array([Alarm(trace)], dtype=object), allow_pickle=True)
    (tmp_path / "ids.json").write_text('["a"]')
    with pytest.raises(InputError, match=r"f\.npy: not a readable \.npy array"):
        FeatureStore.open(file)
    assert not trace.exists()


@pytest.mark.parametrize("left", [0, 5, 40, 130, -1])
def test_a_truncated_file_is_refused(tmp_path, save_array, left):
    file = tmp_path / "f.npy"
    save_array(file, (7, 3), IDS)
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(InputError, match=r"f\.npy: not a readable \.npy array"):
        FeatureStore.open(file)


def test_no_damage_to_a_header_escapes(tmp_path, save_array):
    file = tmp_path / "f.npy"
    save_array(file, (7, 3))
    whole, dice = file.read_bytes(), random.Random(0)
    messages = []
    for _ in range(300):
        broken = bytearray(whole)
        broken[dice.randrange(80)] = dice.choice(b"\0\xff(){}[]'\\,:\n#09")
        file.write_bytes(broken)
        try:
            FeatureStore([open_array(file)], IDS, str(file))
        except InputError as error:
            messages.append(str(error))
    assert len(messages) > 200
    assert all(str(file) in message for message in messages)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3), dtype=np.int64), "features must be floating point, not int64"),
        (np.array([["a"], ["b"]]), "features must be floating point, not <U1"),
        (np.array(1.0), "not one array of rows"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(tmp_path, array, message):
    np.save(tmp_path / "f.npy", array)
    (tmp_path / "ids.json").write_text('["a", "b"]')
    with pytest.raises(InputError, match=rf"f\.npy: .*{message}"):
        FeatureStore.open(tmp_path / "f.npy")


def test_an_archive_of_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "f.npz", a=np.zeros((2, 3)))
    (tmp_path / "f.npz").rename(tmp_path / "f.npy")
    with pytest.raises(InputError, match=r"f\.npy: .*not one array of rows"):
        open_array(tmp_path / "f.npy")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), ('["a",\n', "line 2: not JSON"), ('{"a": 0}', "must hold a JSON list of image ids")],
)
@pytest.mark.parametrize("name", ["ids.json", "f.ids.json"])
def test_bad_ids_are_refused_by_the_file_that_holds_them(tmp_path, save_array, name, content, message):
    save_array(tmp_path / "f.npy", (1, 3))
    if content is None:
        name = "ids.json"
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"/{name}: {message}"):
        FeatureStore.open(tmp_path / "f.npy")


def test_where_there_are_no_features_it_says_so(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "none.npy"):
        with pytest.raises(InputError, match=f"{path.name}: no .npy features there"):
            FeatureStore.open(path)


@pytest.mark.parametrize(
    ("blocks", "ids", "message"),
    [
        ([[[1.0, 2.0]], [[np.nan, 0.0]]], "ab", "features of row 0 of a block are not finite in float16"),
        ([[[1.0, 2.0], [0.0, 70000.0]]], "ab", "features of row 1 of a block are not finite"),
        ([[[1.0, 2.0]]], "ab", "f: 1 rows of features, but 2 ids"),
        ([], "a", "f: 0 rows of features, but 1 ids"),
        ([[[1.0, 2.0]], [[1.0]]], "ab", "f: shards disagree on the shape of a row"),
        ([[1.0, 2.0]], "ab", "f: features must be"),
        ([[[1.0], [2.0]]], "aa", "f: the id 'a' occurs twice"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(tmp_path, blocks, ids, message):
    with pytest.raises(InputError, match=message):
        write_features(tmp_path / "f", list(ids), [np.array(block) for block in blocks])
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_stays(tmp_path, features):
    (tmp_path / "f").mkdir()
    with pytest.raises(InputError, match="f: exists already"):
        write_features(tmp_path / "f", IDS, [features])
    assert list(tmp_path.rglob("*")) == [tmp_path / "f"]


def test_an_interrupted_writing_leaves_nothing_behind(tmp_path, features):
    def blocks():
        yield features[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_features(tmp_path / "f", IDS, blocks())
    assert list(tmp_path.iterdir()) == []


def test_no_images_and_empty_blocks_are_fine(tmp_path, features):
    assert len(write_features(tmp_path / "none", [], [])) == 0
    store = write_features(tmp_path / "f", IDS, [features[:0], features])
    np.testing.assert_array_equal(store.gather(np.arange(7)), features)


def test_the_ids_beside_are_plain_json(tmp_path, features):
    write_features(tmp_path / "f", IDS, [features])
    assert json.loads((tmp_path / "f" / "ids.json").read_text()) == IDS


@pytest.mark.parametrize("width", [1, 2, 5])
def test_rows_of_numbered_shards_belong_to_their_ids_whatever_the_zeros(tmp_path, width):
    folder = tmp_path / "clip"
    folder.mkdir()
    features = np.arange(24, dtype=np.float32)[:, None]
    for shard in range(12):
        np.save(folder / f"emb_{shard:0{width}d}.npy", features[2 * shard : 2 * shard + 2])
    (folder / "ids.json").write_text(json.dumps(list(range(24))))
    store = FeatureStore.open(folder)
    np.testing.assert_array_equal(store.gather(store.rows([str(n) for n in range(24)])), features)


def test_shards_whose_order_nothing_tells_are_refused(tmp_path, save_array):
    for name in ("img_2", "img_10", "text_2", "text_10"):
        save_array(tmp_path / f"{name}.npy", (1, 3))
    (tmp_path / "ids.json").write_text('["a", "b", "c", "d"]')
    with pytest.raises(InputError, match=r"by number \(img_2.npy, img_10.npy.*by spelling \(img_10.npy, img_2.npy"):
        FeatureStore.open(tmp_path)


def test_big_endian_and_mixed_formats_are_read_right(tmp_path):
    first, second = np.array([[1.5, 2.0]], dtype=">f2"), np.array([[70000.0, -1.0]], dtype=">f4")
    np.save(tmp_path / "0.npy", first)
    np.save(tmp_path / "1.npy", second)
    (tmp_path / "ids.json").write_text('["a", "b"]')
    store = FeatureStore.open(tmp_path)
    gathered = store.gather(np.array([1, 0]))
    assert store.dtype == gathered.dtype == np.dtype(np.float32)
    assert gathered.dtype.isnative
    assert gathered.tolist() == [[70000.0, -1.0], [1.5, 2.0]]


@pytest.mark.parametrize("name", ["null", "1.5", "true", '""', "[]"])
def test_an_id_of_a_row_that_is_none_is_named(tmp_path, save_array, name):
    save_array(tmp_path / "0.npy", (2, 3))
    (tmp_path / "ids.json").write_text(f'["a", {name}]')
    with pytest.raises(InputError, match=r"ids\.json: row 1 is .*not an id"):
        FeatureStore.open(tmp_path)


def test_longdouble_is_refused_with_the_cure(tmp_path):
    np.save(tmp_path / "f.npy", np.zeros((1, 2), dtype=np.longdouble))
    with pytest.raises(InputError, match="16, 32 or 64 bits a number"):
        open_array(tmp_path / "f.npy")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (np.array([[3000001, 1]]), "must be floating point, not int64"),
        (np.array([[None, 1.0]], dtype=object), "not finite in float16"),
        (np.ma.masked_array([[1.0, 2.0]], mask=[[False, True]]), "masked values"),
        (np.array([[1.0, 0.0], [1e-12, 3e-10]]), "features of row 1 of a block are all zero in float16"),
    ],
)
def test_what_half_precision_would_change_is_refused(tmp_path, block, message):
    with pytest.raises(InputError, match=message):
        write_features(tmp_path / "f", list("ab")[: len(block)], [block])


@pytest.mark.parametrize("shape", ["(-3, 3)", "(3, -3)", "(10**30, 3)"])
def test_a_header_with_an_impossible_shape_is_refused(tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    (tmp_path / "f.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 36)
    with pytest.raises(InputError, match=r"f\.npy: not a readable \.npy array"):
        open_array(tmp_path / "f.npy")
    with pytest.raises(InputError, match=r"f\.npy: not a whole \.npy file"):
        read_array(tmp_path / "f.npy")
