"""The model card: its header, its sections, and what it takes from a run."""

from __future__ import annotations

import json

import pytest
import yaml

from bcls.errors import InputError
from bcls.models import ModelCard, card_of_run

METRICS = {"rsum": 301.234, "ndcg@10": 0.61239, "image_to_text/recall@1": 32.5, "loss": 3.0}


@pytest.fixture
def run(tmp_path):
    """What `bcls train` leaves."""
    config = {
        "data": {"path": "/home/me/flickr8k", "features": None, "train_split": "train"},
        "labels": {"scorer": {"class_path": "bcls.SentenceScorer", "init_args": {"model": "mini"}}, "table": None},
        "loss": {"class_path": "bcls.BCLSLoss", "init_args": {"margin": 0.2, "gap": 0.15}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (tmp_path / "result.json").write_text(json.dumps({"about": {"split": "val"}, "metrics": METRICS}))
    return tmp_path


def test_a_card_tells_data_labels_loss_metrics_with_intervals_and_limits(run, make_model):
    card = card_of_run(run, intervals={"rsum": (295.01, 307.4)})
    text = card.text(make_model()[0], "someone/model")
    header, body = text.split("---\n")[1:]
    assert yaml.safe_load(header) == {"library_name": "bcls", "tags": ["image-text-retrieval", "bcls"]}
    for line in (
        "# someone/model",
        "An image-text retrieval model of BCLS: PooledFeatureTower and BagOfWordsTower, 6 dimensions.",
        '    model = RetrievalModel.from_pretrained("someone/model")',
        "- Data: flickr8k, split train, pictures",
        "- Continuous labels: SentenceScorer(model=mini)",
        "- Loss: BCLSLoss(margin=0.2, gap=0.15)",
        "Split: flickr8k, val; the epoch was chosen on it.",
        "| rsum | 301.2 | 295 to 307.4 |",
        "| ndcg@10 | 0.6124 | not computed |",
        "- Its sense of graded order is that of the scorer that made its labels, mistakes included.",
    ):
        assert line in body.splitlines(), line
    assert "loss | 3" not in body
    assert "/home/me" not in text


def test_a_card_of_nothing_says_so(make_model):
    text = ModelCard(limits=("It knows no colours.",), licence="mit").text(make_model()[0], "someone/model")
    assert "- Data: not stated" in text
    assert "No metrics were given." in text
    assert "- It knows no colours." in text
    assert "license: mit" in text
    assert "scorer that made its labels" not in text


def test_folders_of_the_one_who_trained_stay_private(run, tmp_path):
    config = yaml.safe_load((run / "config.yaml").read_text())
    (tmp_path / "mini").mkdir()
    settings = {"model": "/home/me/mini", "other": str(tmp_path / "mini"), "hub": "owner/mini", "size": 3}
    config["labels"]["scorer"]["init_args"] = settings
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    assert card_of_run(run).labels == "SentenceScorer(model=mini, other=mini, hub=owner/mini, size=3)"


@pytest.mark.parametrize("content", [b"\xff", b"[1]", b"loss: {class_path: a.B, init_args: [1]}"])
def test_a_config_that_is_none_is_refused(run, content):
    (run / "config.yaml").write_bytes(
        b"data: {path: a, train_split: b, features: c}\nlabels: {scorer: null, table: a}\n"
    )
    with (run / "config.yaml").open("ab") as file:
        file.write(content)
    with pytest.raises(InputError, match="not the folder of a finished run"):
        card_of_run(run)


def test_labels_may_be_ratings(run, make_model):
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["labels"] = {"scorer": None, "table": "/data/ratings.csv"}
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    assert card_of_run(run).labels == "ratings in ratings.csv"


def test_what_is_no_finished_run_is_refused(run):
    (run / "config.yaml").write_text("data: 3")
    with pytest.raises(InputError, match="not the folder of a finished run"):
        card_of_run(run)
    (run / "result.json").unlink()
    with pytest.raises(InputError, match=r"result.json: no such file"):
        card_of_run(run)
