"""Images on disk that no record names."""

from __future__ import annotations

from PIL import Image

from bcls.data import Caption, ImageRecord, RetrievalDataset
from bcls.data.unlisted_images import unlisted_images


def of(folder, *files):
    images = [ImageRecord(str(n), file, "all", (Caption(f"{n}#0", "x"),)) for n, file in enumerate(files)]
    return RetrievalDataset("tiny", images, folder)


def test_images_that_no_record_names_are_counted_with_an_example(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "elsewhere").mkdir()
    for name in ("a.png", "b.JPG", "c.tga", "sub/d.png", "sub/e.png", "elsewhere/f.png"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    (tmp_path / "notes.txt").touch()
    (problem,) = unlisted_images(of(tmp_path, "a.png", "./sub/../sub/d.png", "gone/g.png", None))
    assert (problem.kind, problem.place, problem.fatal) == ("image without record", "b.JPG", False)
    assert problem.message == "3 image files have no record and no caption"


def test_where_all_are_named_or_there_is_no_folder_there_is_no_problem(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    assert unlisted_images(of(tmp_path, "a.png")) == []
    assert unlisted_images(of(None, "a.png", None)) == []
    assert unlisted_images(of(tmp_path / "absent", "a.png")) == []
