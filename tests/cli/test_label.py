"""`bcls label`."""

from __future__ import annotations


def test_each_split_is_encoded_once(bcls, folder, tmp_path):
    words = ("label", folder, "--scorer", "tfidf", "--output", tmp_path / "labels")
    said = bcls(*words)
    assert said.code == 0
    assert [line.split(" in ")[0] for line in said.out.splitlines()] == [
        "train: 32 captions encoded by tfidf",
        "val: 16 captions encoded by tfidf",
    ]
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "labels").rglob("*") if file.is_file()}
    assert files
    assert bcls(*words).code == 0
    assert all(file.stat().st_mtime_ns == time for file, time in files.items())
    assert bcls(*words, "--overwrite", "true").code == 0
    assert any(file.stat().st_mtime_ns != time for file, time in files.items())


def test_refusals(bcls, folder, tmp_path):
    for words, named in [
        (("--scorer", "bleu"), "no scorer 'bleu'"),
        (("--splits", "[test]"), "test"),
        (("--scorer", f"sentence:{tmp_path / 'no-model'}"), "no-model"),
    ]:
        said = bcls("label", folder, "--output", tmp_path / "labels", *words)
        assert said.code == 2
        assert named in said.err
