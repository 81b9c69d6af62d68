"""From a study's config to its runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser

from bcls.errors import InputError
from bcls.study.config import StudyConfig, Sweep, Variant
from bcls.training.parser import config_parser, config_text
from bcls.training.run_folder import RunFolder


@dataclass(frozen=True)
class Setting:
    """A recipe that is run with several seeds: a row of the table, or a point of a curve.

    Attributes:
        name: also its folder below the study's.
        title: as tables write it.
        line: the same without the swept value, as curves write it.
        variant: name of its variant.
        model: name of its model, or None.
        sweep: name of its sweep, or None.
        value: of the swept field.
    """

    name: str
    title: str
    line: str
    variant: str
    model: str | None = None
    sweep: str | None = None
    value: Any = None

    @property
    def rivals(self) -> tuple[str | None, str | None, str]:
        """Equal for settings that differ in their variant alone, which are tested against each other."""
        return self.model, self.sweep, str(self.value)


@dataclass(frozen=True)
class StudyRun:
    """One run.

    Attributes:
        name: of its setting, and its seed.
        folder: where it lies.
        text: its config, defaults included.
    """

    name: str
    folder: RunFolder
    text: str


@dataclass(frozen=True)
class StudyPlan:
    """All runs of a study, seed by seed; settings that come to the same run share it.

    Attributes:
        settings: in the order of the table.
        runs: of each setting (by name) and seed.
    """

    settings: list[Setting]
    runs: dict[tuple[str, int], StudyRun]

    def distinct(self) -> list[StudyRun]:
        """Every run once, in the order in which they are to be done."""
        return list({run.folder.path: run for run in self.runs.values()}.values())


def plan_study(study: StudyConfig, only: Sequence[str] = ()) -> StudyPlan:
    """Lay out a study.

    Args:
        study: the study.
        only: names of variants (or of settings) to keep; empty = all.

    Raises:
        InputError: a variant's run cannot be configured so, or there is no such name; tells which.
    """
    parser = config_parser("bcls study", "")
    described = list(_settings(study))
    known = {name for setting, _ in described for name in (setting.name, setting.variant)}
    for name in only:
        if name not in known:
            raise InputError(f"no variant {name!r}; there are: {', '.join(study.variants)}")
    plan = StudyPlan([setting for setting, _ in described if not only or {setting.name, setting.variant} & {*only}], {})
    kept = {setting.name for setting in plan.settings}
    first: dict[str, StudyRun] = {}
    for seed in study.seeds:
        for setting, words in described:
            run = _run(parser, study, setting, words, seed)
            run = first.setdefault(_without_place(run), run)
            if setting.name in kept:
                plan.runs[setting.name, seed] = run
    return plan


def _settings(study: StudyConfig) -> Iterator[tuple[Setting, list[str]]]:
    """Every setting with the command-line words that make its run of the base."""
    base = [word for file in study.base for word in ("--config", file)] + _set_words(study.set)
    models: list[tuple[str | None, Variant]] = [*study.models.items()] or [(None, Variant())]
    for model_name, model in models:
        for name, variant in study.variants.items():
            setting = _unswept(name, variant, model_name, model)
            words = base + _words(model) + _words(variant)
            if not study.sweeps:
                yield setting, words
            for sweep_name, sweep in study.sweeps.items():
                if not sweep.variants or name in sweep.variants:
                    for value in sweep.values:
                        yield _swept(setting, sweep_name, sweep, value), words + _set_words({sweep.field: value})


def _unswept(name: str, variant: Variant, model_name: str | None, model: Variant) -> Setting:
    title = variant.title or name
    if model_name is None:
        return Setting(name, title, title, name)
    title = f"{title}, {model.title or model_name}"
    return Setting(f"{model_name}/{name}", title, title, name, model_name)


def _swept(setting: Setting, name: str, sweep: Sweep, value: Any) -> Setting:
    return replace(
        setting,
        name=f"{setting.name}/{sweep.field}={_value(value).replace('/', '_')}",
        title=f"{setting.title}, {sweep.title or sweep.field} {_value(value)}",
        sweep=name,
        value=value,
    )


def _run(parser: ArgumentParser, study: StudyConfig, setting: Setting, words: list[str], seed: int) -> StudyRun:
    folder = Path(study.output) / setting.name / f"seed-{seed}"
    try:
        parsed = parser.parse_args([*words, "--seed", str(seed), "--output", str(folder)])
    except ArgumentError as error:
        raise InputError(f"{setting.name}: {' '.join(str(error).split())}") from None
    if parsed["labels.folder"] is None:
        parsed["labels.folder"] = str(Path(study.output) / "labels")
    return StudyRun(f"{setting.name} seed {seed}", RunFolder(folder), config_text(parser, parsed))


def _without_place(run: StudyRun) -> str:
    return "\n".join(line for line in run.text.splitlines() if not line.startswith("output:"))


def _words(variant: Variant) -> list[str]:
    return [word for file in variant.configs for word in ("--config", file)] + _set_words(variant.set)


def _set_words(fields: Mapping[str, Any]) -> list[str]:
    return [f"--{name}={_value(value)}" for name, value in fields.items()]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
