"""The model card: what a stranger must know before using a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bcls.errors import InputError
from bcls.files import read_json, read_yaml

if TYPE_CHECKING:
    from bcls.models.retrieval_model import RetrievalModel

SHOWN = (
    "image_to_text/recall@1",
    "image_to_text/recall@5",
    "image_to_text/recall@10",
    "text_to_image/recall@1",
    "text_to_image/recall@5",
    "text_to_image/recall@10",
    "rsum",
    "map@r",
    "ndcg@10",
    "ndcg",
    "tau_b",
)
UNKNOWN = "not stated"


@dataclass(frozen=True)
class ModelCard:
    """What a model was made from and how well it does.

    Attributes:
        data: what it was trained on.
        labels: where its continuous labels come from.
        loss: what it was trained with.
        split: what it was judged on.
        metrics: name -> value.
        intervals: name -> lower and upper bound; of metrics that have none the card says so.
        limits: what it cannot do, a sentence each, besides what holds for every such model.
        licence: an identifier of the hub, e.g. `apache-2.0`; None = none is stated.
    """

    data: str = UNKNOWN
    labels: str = UNKNOWN
    loss: str = UNKNOWN
    split: str = UNKNOWN
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    licence: str | None = None

    def text(self, model: RetrievalModel, repo_id: str) -> str:
        """The card in Markdown, with the header that the hub reads.

        Args:
            model: whose towers are named.
            repo_id: where the model will be.

        Example:
            >>> from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
            >>> model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8))
            >>> ModelCard(loss="BCLS").text(model, "someone/model").splitlines()[0]
            '---'
        """
        towers = [type(tower).__name__ for tower in (model.image_tower, model.caption_tower)]
        licence = [] if self.licence is None else [f"license: {self.licence}"]
        header = ["---", "library_name: bcls", "tags:", "- image-text-retrieval", "- bcls", *licence, "---"]
        body = [
            f"# {repo_id}",
            "",
            f"An image-text retrieval model of BCLS: {towers[0]} and {towers[1]}, {model.image_tower.dim} dimensions.",
            "",
            "    from bcls import RetrievalModel",
            f'    model = RetrievalModel.from_pretrained("{repo_id}")',
            '    model.encode_text(["a dog on a beach"])',
            "",
            "## Training",
            "",
            f"- Data: {self.data}",
            f"- Continuous labels: {self.labels}",
            f"- Loss: {self.loss}",
            "",
            "## Evaluation",
            "",
            *self._evaluation(),
            "",
            "## Limits",
            "",
            *[f"- {limit}" for limit in (*self.limits, *_limits(self.labels))],
        ]
        return "\n".join([*header, "", *body]) + "\n"

    def _evaluation(self) -> list[str]:
        names = [name for name in SHOWN if name in self.metrics]
        if not names:
            return ["No metrics were given."]
        rows = ["| metric | value | 95% interval |", "|---|---|---|"]
        for name in names:
            bounds = self.intervals.get(name)
            told = "not computed" if bounds is None else f"{bounds[0]:.4g} to {bounds[1]:.4g}"
            rows.append(f"| {name} | {self.metrics[name]:.4g} | {told} |")
        note = "Recall, rsum and map@r are percentages. The intervals are over queries; another seed differs, too."
        return [f"Split: {self.split}.", "", *rows, "", note]


def card_of_run(folder: str | Path, intervals: Mapping[str, tuple[float, float]] | None = None) -> ModelCard:
    """The card of a run of `bcls train`, from the files in its folder.

    Args:
        folder: of the run.
        intervals: name -> lower and upper bound of its metrics, e.g. from a bootstrap over queries.

    Raises:
        InputError: no finished run is there.
    """
    folder = Path(folder)
    result = read_json(folder / "result.json")
    try:
        config = read_yaml(folder / "config.yaml")
        data, loss = config["data"], config["loss"]
        labels = config["labels"]["scorer"] or config["labels"]["table"]
        return ModelCard(
            data=f"{Path(data['path']).name}, split {data['train_split']}, {data['features'] or 'pictures'}",
            labels=UNKNOWN if labels is None else _settings(labels),
            loss=_settings(loss),
            split=f"{Path(data['path']).name}, {result['about']['split']}; the epoch was chosen on it",
            metrics=result["metrics"],
            intervals=intervals or {},
        )
    except InputError as error:
        raise InputError(f"{folder}: not the folder of a finished run ({error})") from None
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{folder}: not the folder of a finished run ({type(error).__name__}: {error})") from None


def _settings(described: object) -> str:
    """A class and its settings, or a file's name; of paths the last part alone: a card is for strangers."""
    if not isinstance(described, dict):
        return f"ratings in {Path(str(described)).name}"
    given = (described.get("init_args") or {}).items()
    settings = ", ".join(f"{name}={_without_folder(value)}" for name, value in given)
    return f"{described['class_path'].split('.')[-1]}({settings})"


def _without_folder(value: object) -> object:
    is_path = isinstance(value, str) and (value.startswith(("/", "./", "../", "~")) or Path(value).is_dir())
    return Path(str(value)).name if is_path else value


def _limits(labels: str) -> list[str]:
    told = [
        "It ranks captions and images of the kind that it was trained on; of others nothing is known.",
        "What it has learnt of people and places is what the captions of its data say of them, prejudice included.",
        "A similarity is good for ranking the candidates of one query, and is no probability.",
    ]
    if labels != UNKNOWN:
        told.append("Its sense of graded order is that of the scorer that made its labels, mistakes included.")
    return told
