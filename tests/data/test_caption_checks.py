"""Captions that are probably not what they are meant to be are warned of; others are not."""

from __future__ import annotations

import pytest

from bcls.data import Caption, ImageRecord, RetrievalDataset
from bcls.data.caption_checks import caption_problems


def dataset(*captions_of_images, splits=None):
    return RetrievalDataset(
        "tiny",
        [
            ImageRecord(
                f"i{row}",
                None,
                (splits or {}).get(row, "train"),
                tuple(Caption(f"i{row}#{number}", text) for number, text in enumerate(texts)),
            )
            for row, texts in enumerate(captions_of_images)
        ],
    )


def told(*captions_of_images, **more):
    problems = list(caption_problems(dataset(*captions_of_images, **more)))
    assert not any(problem.fatal for problem in problems)
    return [(problem.kind, problem.place, problem.message.split(" ")[0]) for problem in problems]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a dog\na brown dog", "caption of several lines"),
        ("a dog\u2028a brown dog", "caption of several lines"),
        ("['a dog', 'a brown dog']", "caption that is a list"),
        ('["a dog", "a brown dog"]', "caption that is a list"),
        ("NaN", "caption that stands for nothing"),
        (" null ", "caption that stands for nothing"),
        ("rock &amp; roll", "caption with markup"),
        ("it&#39;s a dog", "caption with markup"),
        ("un cafÃ©", "caption in a wrong encoding"),
        ("a dog\u2019s tail".encode().decode("cp1252"), "caption in a wrong encoding"),
        ("a \ufffd dog", "caption in a wrong encoding"),
    ],
)
def test_each_kind_is_counted_with_an_example(text, kind):
    assert told(["a cat"], ["two cats", text], [text + " "])[0] == (kind, "i1#1", "2")


@pytest.mark.parametrize(
    "text",
    [
        "a dog\n",
        "un café à Paris, où l\u2019on boit",
        "EL NIÑO Ã",
        "a man; a plan",
        "nanny",
        "[a dog]",
        "R&B and Q&A",
        "The [man] says 'hi'",
        "none of them",
        "狗",
    ],
)
def test_ordinary_captions_are_not_warned_of(text):
    assert told(["a cat"], ["two cats", text]) == []


@pytest.mark.parametrize("mark", [";", "|", "\t"])
def test_a_separator_in_nearly_all_captions_may_part_several(mark):
    joined = [[f"a dog {row}{mark} a brown dog {row}"] for row in range(9)]
    assert told(*joined, ["one alone"]) == [("several captions in one", "i0#0", "9")]
    assert told(*joined, ["one alone"], ["another"]) == []
    assert told(*[[*texts, f"b {row}{mark}c"] for row, texts in enumerate(joined)]) == []  # several captions an image


def test_entities_are_no_separators():
    assert [kind for kind, *_ in told(["a &amp; b"], ["c &amp; d"])] == ["caption with markup"]


def test_captions_that_several_images_of_a_split_share_are_counted():
    found = told(["a dog runs", "x"], ["y", "a dog runs "], ["z"], ["a dog runs"], splits={3: "val"})
    assert found == [("same caption of several images", "i0#0", "2")]


def test_captions_that_an_image_has_twice_are_counted():
    assert told(["a dog", "a dog", "x"], ["y"]) == [("same caption twice", "i0#0", "2")]
