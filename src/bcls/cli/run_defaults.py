"""What a run's own config says, for the commands that go on from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcls.errors import InputError
from bcls.files import read_yaml

if TYPE_CHECKING:
    from bcls.relevance import Scorer

LABELS = "runs/labels"


@dataclass(frozen=True)
class RunDefaults:
    """What a run was trained and validated on; of anything else than a run nothing is known.

    Attributes:
        data: path of the data set.
        features: name of the features; None = images.
        train_split: which split it learnt from.
        validation_split: which split it was validated on.
        scorer: what graded its validation, as the config has it.
        scene_truth: whether the truth of made scenes did.
        labels: where its scorers' encodings are kept.
    """

    data: str | None = None
    features: str | None = None
    train_split: str | None = None
    validation_split: str | None = None
    scorer: Any = None
    scene_truth: bool = False
    labels: str | None = None

    def make_scorer(self) -> Scorer | None:
        """The scorer of its validation.

        Raises:
            InputError: the config names something else.
        """
        if self.scorer is None:
            return None
        import jsonargparse  # noqa: PLC0415

        from bcls.relevance import Scorer as Base  # noqa: PLC0415

        parser = jsonargparse.ArgumentParser(exit_on_error=False)
        parser.add_argument("--scorer", type=Base)
        try:
            made: Scorer = parser.instantiate_classes(parser.parse_object({"scorer": self.scorer})).scorer
        except jsonargparse.ArgumentError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"the run's validation.scorer cannot be made: {reason}; name one with --scorer") from None
        return made


def read_run(named: str | Path) -> RunDefaults:
    """What the config in a run's folder says; nothing where the folder is no run.

    Raises:
        InputError: its config is no YAML.
    """
    config = Path(named) / "config.yaml"
    if not config.is_file():
        return RunDefaults()
    content = read_yaml(config)
    data, validation, labels = (_section(content, name) for name in ("data", "validation", "labels"))
    folder = labels.get("folder")
    return RunDefaults(
        data.get("path"),
        data.get("features"),
        data.get("train_split"),
        data.get("validation_split"),
        validation.get("scorer"),
        bool(validation.get("scene_truth")),
        str(Path(named).parent / "labels") if folder is None else str(folder),
    )


def fill_defaults(given: dict[str, Any], runs: Sequence[RunDefaults]) -> None:
    """Put what the runs say in place of the options that were not given.

    The split must be the same for all runs. What else grades a result comes from the first run: its scorer (or the
    truth of its scenes), its train split, and the folder of its labels.

    Args:
        given: the options; `split`, `fit_split`, `labels`, `scene_truth` and `own_scorer` are filled in.
        runs: of the models, the base first.

    Raises:
        InputError: the runs were validated on different splits, and none is named.
    """
    first = runs[0] if runs else RunDefaults()
    if given["split"] is None:
        splits = list(dict.fromkeys(run.validation_split for run in runs if run.validation_split is not None))
        if len(splits) > 1:
            raise InputError(
                f"the runs were validated on different splits ({', '.join(splits)}): name one with --split"
            )
        given["split"] = splits[0] if splits else "val"
    given["fit_split"] = given["fit_split"] or first.train_split or "train"
    given["labels"] = given["labels"] or first.labels or LABELS
    named = given["scorer"] is not None or given["relevance"] is not None
    own_data = given["data"] is None or given["data"] == first.data
    if given["scene_truth"] is None:
        given["scene_truth"] = first.scene_truth and own_data and not named
    given["own_scorer"] = None if named or given["scene_truth"] else first.make_scorer()


def _section(content: Any, name: str) -> dict[str, Any]:
    section = content.get(name) if isinstance(content, dict) else None
    return section if isinstance(section, dict) else {}
