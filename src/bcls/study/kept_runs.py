"""What is there already of a study's runs."""

from __future__ import annotations

from collections.abc import Iterable

from bcls.errors import InputError
from bcls.files import write_text
from bcls.study.plan import StudyRun
from bcls.training.same_config import changed_fields

SHOWN = 5


def claim_runs(runs: Iterable[StudyRun]) -> list[StudyRun]:
    """Write each run's config into its folder, and tell which runs are not finished.

    A field that the package did not have when a run was made counts as having had its default.

    Raises:
        InputError: folders hold runs with other configs; tells fields, what they were and what they would be now.
    """
    runs = list(runs)
    refused = [message for run in runs if (message := _changed(run)) is not None]
    if refused:
        more = f" (and {len(refused) - SHOWN} more runs)" if len(refused) > SHOWN else ""
        raise InputError(
            f"the study has changed since these runs were begun: {'; '.join(refused[:SHOWN])}{more}: take the change "
            "back, choose another --output, or delete their folders"
        )
    unfinished = [run for run in runs if not run.folder.result.exists()]
    for run in unfinished:
        if not run.folder.config.exists():
            write_text(run.folder.config, run.text)
    return unfinished


def _changed(run: StudyRun) -> str | None:
    """How the run in a folder differs from the one that is to be there; None where it does not."""
    if not run.folder.config.exists():
        return None
    kept = run.folder.config.read_text(encoding="utf-8")
    if kept == run.text:
        return None
    try:
        fields = changed_fields(kept, run.text)
    except InputError as error:
        return f"{run.folder.config}: {error}"
    if fields:
        return f"{run.folder.path}: {', '.join(fields)}"
    if not run.folder.result.exists():
        write_text(run.folder.config, run.text)
    return None
