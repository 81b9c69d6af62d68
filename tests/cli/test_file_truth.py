"""Which caption belongs to which image, from a file, from ids, and by the protocol's habit."""

from __future__ import annotations

import pytest

from bcls.cli.file_side import Side
from bcls.cli.file_truth import truth_of_files
from bcls.errors import InputError


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A file of these lines in a working folder."""
    monkeypatch.chdir(tmp_path)

    def one(name: str, *lines: object) -> str:
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
        return name

    return one


def sides(images: int, captions: int, image_ids: str | None = None, caption_ids: str | None = None):
    return Side("image", "i.npy", images, image_ids), Side("caption", "c.npy", captions, caption_ids)


def given(**changed):
    return {"caption_image": None, "protocol": "whole", "image_ids": None, "caption_ids": None} | changed


def test_a_file_tells_the_image_of_every_caption(write):
    told = given(caption_image=write("truth.txt", 1, 0, -1, 1))
    ids = write("i.txt", "a", "b"), write("c.txt", *"wxyz")
    truth, source = truth_of_files(told, *sides(2, 4, *ids))
    assert (truth.caption_image.tolist(), truth.images, source) == ([1, 0, -1, 1], 2, "truth.txt")
    assert (truth.image_ids, truth.caption_ids) == (["a", "b"], list("wxyz"))


def test_a_file_comes_before_the_habit_and_the_ids(write):
    rows = [0] * 4 + [1] * 6
    told = given(caption_image=write("truth.txt", *rows), protocol="flickr8k")
    assert truth_of_files(told, *sides(2, 10))[0].caption_image.tolist() == rows
    told = given(caption_image="truth.txt", protocol="flickr8k-expert")
    assert truth_of_files(told, *sides(2, 10))[0].caption_image.tolist() == rows


def test_a_file_at_odds_with_the_scores_is_refused(write):
    told = given(caption_image=write("truth.txt", 0, 2))
    with pytest.raises(InputError, match=r"^truth.txt: image rows of 2 captions, but c.npy has 3$"):
        truth_of_files(told, *sides(2, 3))
    with pytest.raises(InputError, match=r"^truth.txt: caption row 1: image row 2 is not in -1..1$"):
        truth_of_files(told, *sides(2, 2))


@pytest.mark.parametrize("protocol", ["flickr8k", "flickr30k", "coco-5k", "coco-1k"])
def test_the_habit_is_five_captions_an_image_in_order(protocol):
    truth, source = truth_of_files(given(protocol=protocol), *sides(3, 15))
    assert truth.caption_image.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert (truth.images, truth.image_ids, source) == (3, None, "5 captions an image, in order")


def test_the_habit_keeps_the_ids(write):
    ids = write("i.txt", "a"), write("c.txt", *"vwxyz")
    truth, _ = truth_of_files(given(protocol="flickr8k"), *sides(1, 5, *ids))
    assert (truth.image_ids, truth.caption_ids) == (["a"], list("vwxyz"))


@pytest.mark.parametrize("captions", [14, 16, 3])
def test_another_number_of_captions_than_the_habit_is_refused(captions):
    with pytest.raises(
        InputError, match=rf"'coco-5k' means 5 captions an image in order, but c.npy has {captions} for 3"
    ):
        truth_of_files(given(protocol="coco-5k"), *sides(3, captions))


@pytest.mark.parametrize("protocol", ["whole", "ncs"])
def test_where_nothing_tells_it_is_asked(protocol):
    with pytest.raises(
        InputError, match="which caption belongs to which image\\? Give one of --data and --caption_image"
    ):
        truth_of_files(given(protocol=protocol), *sides(3, 3))


def test_ids_tell_it_where_the_protocol_can_read_them(write):
    names = {
        "image_ids": write("i.txt", "b.jpg", "a.jpg"),
        "caption_ids": write("c.txt", "a.jpg#0", "b.jpg#0", "a.jpg#1"),
    }
    truth, source = truth_of_files(given(protocol="flickr8k-expert", **names), *sides(2, 3, *names.values()))
    assert (truth.caption_image.tolist(), source) == ([1, 0, 1], "i.txt and c.txt")


@pytest.mark.parametrize("left_out", ["both", "images", "captions"])
def test_a_protocol_that_reads_ids_asks_for_both(write, left_out):
    image_ids = None if left_out != "captions" else write("i.txt", "a.jpg")
    caption_ids = None if left_out != "images" else write("c.txt", "a.jpg#0")
    told = given(protocol="flickr8k-expert", image_ids=image_ids, caption_ids=caption_ids)
    with pytest.raises(InputError, match="finds its images and captions by their ids: name them with --image_ids and"):
        truth_of_files(told, *sides(1, 1, image_ids, caption_ids))
