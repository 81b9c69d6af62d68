"""`bcls study`, as a person calls it."""

from __future__ import annotations

import json

import yaml

from bcls.training.run_folder import RunFolder


def test_a_study_with_a_failing_variant_and_its_second_call(bcls, config, tmp_path, caplog):
    content = {
        "base": [str(config)],
        "output": str(tmp_path / "study"),
        "seeds": [0],
        "jobs": 2,
        "baseline": "triplet",
        "set": {"validation.scorer": "TfidfScorer"},
        "variants": {
            "triplet": {"title": "Triplet-SN", "set": {"loss": "TripletLoss"}},
            "bcls": {},
            "broken": {"set": {"optimization.batch_size": 7}},
        },
    }
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    with RunFolder(tmp_path / "study" / "broken" / "seed-0").alone():  # no check of its config can tell
        said = bcls("study", file)
    assert said.code == 1
    assert "failed: broken seed 0: " in said.err
    assert "another process trains here" in said.err
    assert "[3/3]" in caplog.text
    assert max(len(line) for line in said.out.splitlines() if "/" not in line) <= 80
    assert [line.split()[0] for line in said.out.splitlines()[1:3]] == ["Triplet-SN", "bcls"]
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert list(record["settings"]) == ["bcls", "triplet"]
    assert {one["run"] for one in record["differences"]} == {"bcls"}
    assert "| Triplet-SN | 1 |" in (tmp_path / "study" / "table.md").read_text()

    again = bcls("study", file, "--only", "triplet", "bcls")
    assert (again.code, again.err) == (0, ""), again.err
    assert "Triplet-SN" in again.out
    changed = bcls("study", file, "--set", "{validation.scorer: TfidfScorer, loss.temperature: 0.1}")
    assert changed.code == 2
    assert "loss.init_args.temperature was 0.05, is 0.1" in changed.err


def test_refusals_are_one_line(bcls, tmp_path):
    for words, named in [((), "required"), ((tmp_path / "no.yaml",), "no.yaml")]:
        said = bcls("study", *words)
        assert said.code == 2
        assert said.err.startswith("bcls: error: ")
        assert said.err.count("\n") == 1
        assert named in said.err
