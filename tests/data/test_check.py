"""Everything wrong with a data set is found and has its place."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from PIL import Image

from bcls.data import Caption, FeatureStore, ImageRecord, Problem, RetrievalDataset, check_dataset, refuse_problems
from bcls.data import check as check_module
from bcls.errors import InputError


def store(ids, shape=(2,), wrong=()):
    features = np.ones((len(ids), *shape), dtype=np.float16)
    for row, value in wrong:
        features[row].flat[-1] = value
    return FeatureStore([features], list(ids), "here")


def told(problems):
    return [(problem.kind, problem.place) for problem in problems]


@pytest.fixture
def pictures(tmp_path, write_pictures):
    return write_pictures(tmp_path / "images", 3)


def test_a_sound_data_set_has_no_problems(make_dataset, pictures):
    features = {"pooled": store(["i0", "i1", "i2"]), "regions": store(["i2", "i1", "i0"], (3, 2))}
    problems = check_dataset(make_dataset(image_folder=pictures, features=features))
    assert problems == []
    refuse_problems(problems, "bcls data check here")


def no_bytes(file):
    file.write_bytes(b"")


def cut(file):
    Image.effect_noise((64, 64), 50).save(file)
    file.write_bytes(file.read_bytes()[:-200])


def no_picture(file):
    file.write_text("<html>429 Too Many Requests</html>")


def short_header(file):
    whole = bytearray(file.read_bytes())
    whole[11] = 1  # the length of the PNG's header block
    file.write_bytes(whole)


def unknown_to_its_decoder(file):
    """A DDS whose kind of pixels Pillow does not know: `NotImplementedError`."""
    Image.new("RGB", (4, 4)).save(file, "DDS")
    whole = bytearray(file.read_bytes())
    whole[80:88] = (4).to_bytes(4, "little") + b"WHAT"
    file.write_bytes(whole)


def float_of_no_known_range(file):
    Image.fromarray(np.full((4, 4), 7, np.float32)).save(file, "TIFF")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (unknown_to_its_decoder, "not a readable picture (NotImplementedError: "),
        (float_of_no_known_range, "outside the range of 0 to 1"),
        (lambda file: file.unlink(), "no such file"),
        (no_bytes, "0 bytes"),
        (cut, "not a readable picture"),
        (no_picture, "not a readable picture"),
        (short_header, "not a readable picture"),
    ],
)
def test_a_broken_picture_is_listed_with_its_path(make_dataset, pictures, damage, message):
    damage(pictures / "i1.png")
    (problem,) = check_dataset(make_dataset(image_folder=pictures))
    assert told([problem]) == [("broken picture", str(pictures / "i1.png"))]
    assert message in problem.message
    assert problem.fatal


def test_one_damaged_file_does_not_end_the_check(make_dataset, pictures, monkeypatch):
    """Whatever its decoder raises: the other files are looked at, and each is listed."""
    (pictures / "i0.png").unlink()
    unknown_to_its_decoder(pictures / "i1.png")
    cut(pictures / "i2.png")
    problems = check_dataset(make_dataset(image_folder=pictures))
    assert told(problems) == [("broken picture", str(pictures / f"i{row}.png")) for row in range(3)]


def test_a_file_that_goes_after_it_was_decoded_is_listed(make_dataset, pictures, monkeypatch):
    def decoded_and_gone(path):
        path.unlink()

    monkeypatch.setattr(check_module, "picture_fault", decoded_and_gone)
    (problem, *_) = check_dataset(make_dataset(image_folder=pictures))
    assert problem.kind == "broken picture"
    assert "No such file" in problem.message


def test_pictures_are_looked_at_only_if_asked(make_dataset, pictures):
    (pictures / "i1.png").unlink()
    assert check_dataset(make_dataset(image_folder=pictures), pictures=False) == []


def test_nothing_to_learn_from_is_a_problem(make_dataset):
    bare = make_dataset(features={})
    assert told(check_dataset(bare)) == [("no pictures", bare.name)]
    assert check_dataset(bare, pictures=False) == []
    empty = RetrievalDataset("empty", [])
    assert told(check_dataset(empty, pictures=False)) == [("no images", "empty")]


def test_an_image_without_a_file_is_listed(make_dataset, pictures):
    dataset = make_dataset((1, 1), image_folder=pictures, files=False)
    assert told(check_dataset(dataset)) == [("image without picture", "i0"), ("image without picture", "i1")]


def test_empty_captions_and_images_without_captions_are_listed():
    captions = (Caption("a#0", "a dog"), Caption("a#1", ""), Caption("a#2", " \t\n"))
    dataset = RetrievalDataset("tiny", [ImageRecord("a", None, "train", captions), ImageRecord("b", None, "train", ())])
    problems = check_dataset(dataset, pictures=False)
    assert told(problems) == [("empty caption", "a#1"), ("empty caption", "a#2"), ("image without caption", "b")]
    assert str(problems[0]) == "empty caption: a#1: of image a"
    assert all(problem.fatal for problem in problems)


def test_captions_without_words_are_a_warning():
    captions = (Caption("a#0", "a dog"), Caption("a#1", "... !"), Caption("a#2", "🐶"), Caption("a#3", "狗"))
    dataset = RetrievalDataset("tiny", [ImageRecord("a", None, "train", captions)])
    problems = check_dataset(dataset, pictures=False)
    assert told(problems) == [("caption without words", "a#1")]
    assert not problems[0].fatal


def test_duplicate_ids_are_listed_once_each():
    def image(name, *captions):
        return ImageRecord(name, None, "train", tuple(Caption(caption, f"a {next(words)}") for caption in captions))

    words = count()
    dataset = RetrievalDataset("tiny", [image("a", "0", "1"), image("b", "2", "0"), image("a", "3", "0")])
    problems = check_dataset(dataset, pictures=False)
    assert told(problems) == [("duplicate image id", "a"), ("duplicate caption id", "0")]
    assert [problem.message for problem in problems] == ["2 images have this id", "3 captions have this id"]


def test_missing_features_are_listed_by_image_and_name(make_dataset):
    dataset = make_dataset(features={"cnn": store(["i1", "elsewhere"])})
    problems = check_dataset(dataset)
    assert told(problems) == [("missing features", "i0"), ("missing features", "i2")]
    assert problems[0].message == "no row in cnn"


@pytest.mark.parametrize("block", [1, 2, 1024])
@pytest.mark.parametrize("shape", [(2,), (3, 2)])
def test_features_that_are_not_finite_are_listed(make_dataset, monkeypatch, block, shape):
    monkeypatch.setattr(check_module, "BLOCK", block)
    features = store(["i2", "x", "i0", "i1"], shape, wrong=[(0, np.nan), (1, np.nan), (3, np.inf)])
    problems = check_dataset(make_dataset(features={"cnn": features}))
    assert told(problems) == [("features not finite", "i1"), ("features not finite", "i2")]


def test_only_the_named_features_are_looked_at(make_dataset):
    dataset = make_dataset(features={"good": store(["i0", "i1", "i2"]), "bad": store([])})
    assert check_dataset(dataset, features=["good"]) == []
    assert check_dataset(dataset, pictures=False, features=[]) == []
    assert len(check_dataset(dataset)) == 3


def test_a_picture_in_two_splits_is_a_warning(make_dataset, pictures):
    (pictures / "i2.png").write_bytes((pictures / "i0.png").read_bytes())
    problems = check_dataset(make_dataset(splits=["train", "train", "val"], image_folder=pictures))
    assert told(problems) == [("picture in two splits", str(pictures / "i2.png"))]
    assert problems[0].message == "the same as i0 (train and val)"
    refuse_problems(problems, "bcls data check here")
    assert told(check_dataset(make_dataset(image_folder=pictures))) == [("same picture several times", "i2.png")]


def test_fatal_problems_are_refused_with_their_counts():
    problems = [
        Problem("empty caption", "a", ""),
        Problem("warning", "b", "", False),
        Problem("empty caption", "c", ""),
    ]
    with pytest.raises(InputError, match=r"2 problems \(empty caption: 2\); see them all with: bcls data check here$"):
        refuse_problems(problems, "bcls data check here")


def test_equal_files_of_a_split_are_counted(make_dataset, pictures):
    for name in ("i1.png", "i2.png"):  # what a site sends in the place of a deleted image
        (pictures / name).write_bytes((pictures / "i0.png").read_bytes())
    (problem,) = check_dataset(make_dataset(image_folder=pictures))
    assert (problem.kind, problem.place, problem.fatal) == ("same picture several times", "i1.png", False)
    assert problem.message.startswith("2 files are byte for byte another file")
