"""What a study is made of, as plain dataclasses; its YAML file has the same shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser

from bcls.errors import InputError

METRICS = ("image_to_text/recall@1", "text_to_image/recall@1", "rsum", "ndcg@10", "tau_b")


@dataclass
class Variant:
    """One recipe.

    Args:
        title: as tables and pictures write it; null = its name.
        configs: YAML files laid over the base, as `bcls train --config` takes them; later ones win.
        set: fields of the run by dotted name, e.g. `loss.kendall_weight: 0.5`; they win over the files.
    """

    title: str | None = None
    configs: list[str] = dataclasses.field(default_factory=list)
    set: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass
class Sweep:
    """One field of the run that takes several values: a curve in place of a row.

    Args:
        field: dotted name, e.g. `loss.gap`.
        values: in the order of the curve.
        variants: names of those that are swept; empty = all.
        title: of the axis; null = the field.
    """

    field: str
    values: list[Any]
    variants: list[str] = dataclasses.field(default_factory=list)
    title: str | None = None


@dataclass
class Pareto:
    """The two metrics of a picture in which a recipe is a point; of both, more is better.

    Args:
        across: metric of the horizontal axis.
        up: metric of the vertical axis.
    """

    across: str = "rsum"
    up: str = "tau_b"


@dataclass
class StudyConfig:
    """A study: every variant (of every model) with every seed.

    Args:
        base: YAML files of the run that all have in common.
        variants: what is compared, by name.
        output: folder of everything; each run has a folder of its own in it.
        name: in the markers of a page that it is published in; null = the last part of its output.
        models: further fields or files by a model's name, so that every variant is run with every model; empty = the
            model of the base.
        sweeps: by name; where there are any, each variant is run at their values alone.
        set: fields of every run by dotted name; variants win over them.
        seeds: of each variant.
        jobs: runs at a time; null = as many as there are cores. The cores are shared out among them.
        metrics: what the table shows and tests.
        baseline: the variant that the others are tested against; null = no tests.
        pareto: the picture of a study without sweeps; null = none.
    """

    base: list[str]
    variants: dict[str, Variant]
    output: str
    name: str | None = None
    models: dict[str, Variant] = dataclasses.field(default_factory=dict)
    sweeps: dict[str, Sweep] = dataclasses.field(default_factory=dict)
    set: dict[str, Any] = dataclasses.field(default_factory=dict)
    seeds: list[int] = dataclasses.field(default_factory=lambda: [0, 1, 2])
    jobs: int | None = None
    metrics: list[str] = dataclasses.field(default_factory=lambda: list(METRICS))
    baseline: str | None = None
    pareto: Pareto | None = dataclasses.field(default_factory=Pareto)

    def __post_init__(self) -> None:
        if not self.variants or not self.seeds or not self.metrics:
            raise InputError("a study needs at least one of each: variants, seeds, metrics")
        if self.jobs is not None and self.jobs < 1:
            raise InputError(f"jobs is {self.jobs}; it must be at least 1")
        if len(set(self.seeds)) < len(self.seeds):
            raise InputError(f"seeds {self.seeds}: one stands there twice")
        named = [self.baseline] if self.baseline else []
        named += [name for sweep in self.sweeps.values() for name in sweep.variants]
        for name in named:
            if name not in self.variants:
                raise InputError(f"no variant {name!r}; there are: {', '.join(self.variants)}")
        for name in (*self.variants, *self.models, *self.sweeps):
            if not name or name != Path(name).name or name.startswith("."):
                raise InputError(f"the name {name!r} cannot be the name of a folder")
        for name, sweep in self.sweeps.items():
            if len({str(value) for value in sweep.values}) < len(sweep.values) or not sweep.values:
                raise InputError(f"sweeps.{name}: its values must be different, and at least one")


def study_parser(program: str, description: str) -> ArgumentParser:
    """The parser of a study: `--config FILE` and one option for every field."""
    parser = ArgumentParser(prog=program, description=description, exit_on_error=False)
    parser.add_argument("--config", action="config", help="YAML file of the study")
    parser.add_class_arguments(StudyConfig)
    return parser


def parse_study(
    parser: ArgumentParser, words: Sequence[str], extra: Sequence[str] = ()
) -> tuple[StudyConfig, dict[str, Any]]:
    """A study from command-line words.

    Args:
        parser: of `study_parser`, perhaps with options of its own.
        words: e.g. `["--config", "configs/studies/flickr8k.yaml", "--seeds", "[0]"]`; later words win.
        extra: names of the parser's own options, which are no part of the study.

    Returns:
        The study and the values of the extra options.

    Raises:
        InputError: an unknown key, a wrong type, a missing value, a name that there is not.
    """
    try:
        parsed = parser.parse_args(list(words))
        rest = {name: parsed.pop(name) for name in extra}
        parsed.pop("config", None)
        made = parser.instantiate_classes(parsed)
    except ArgumentError as error:
        raise InputError(" ".join(str(error).split())) from None
    except InputError:
        raise
    except Exception as error:  # YAML raises nearly every kind: dates, numbers and nests that cannot be
        raise InputError(f"the study cannot be read ({type(error).__name__}: {error})") from None
    return StudyConfig(**{name: made[name] for name in StudyConfig.__dataclass_fields__}), rest
