"""Where a run's files lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bcls.errors import InputError
from bcls.files import read_json, write_text
from bcls.locks import locked
from bcls.training.same_config import changed_fields


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run.

    Args:
        path: the folder.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The config, defaults included."""
        return self.path / "config.yaml"

    @property
    def provenance(self) -> Path:
        """Versions, commit, machine, data hashes."""
        return self.path / "provenance.json"

    @property
    def history(self) -> Path:
        """One row of numbers an epoch."""
        return self.path / "history.csv"

    @property
    def checkpoint(self) -> Path:
        """What a killed run goes on from."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def model(self) -> Path:
        """The best epoch's model."""
        return self.path / "model"

    @property
    def queries(self) -> Path:
        """Each validation query's own result by that model."""
        return self.path / "queries.safetensors"

    @property
    def result(self) -> Path:
        """Metrics of the best epoch's model on the validation split; written last."""
        return self.path / "result.json"

    def labels(self, chosen: str | None) -> Path:
        """Where scorers' encodings are kept: the chosen folder, or `labels/` beside the run, shared by its siblings."""
        return self.path.parent / "labels" if chosen is None else Path(chosen)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process from training here; the system lets go when this one dies, in whatever way.

        Raises:
            InputError: another process trains here.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path / ".lock", self._refuse_second):
            yield

    def _refuse_second(self) -> None:
        raise InputError(
            f"{self.path}: another process trains here at this moment: wait for it, or choose another --output"
        )

    def claim(self, config_text: str, *, resume: bool) -> None:
        """Make the folder this run's own.

        Raises:
            InputError: as `refuse_other_run` does.
        """
        self.refuse_other_run(config_text, resume=resume)
        if not self.config.exists():
            write_text(self.config, config_text)

    def refuse_other_run(self, config_text: str, *, resume: bool) -> None:
        """Refuse a folder that another run has, and write nothing.

        Raises:
            InputError: it holds a run already and `resume` is off, or it was begun with another config.
        """
        if not self.config.exists():
            return
        if not resume:
            raise InputError(
                f"{self.path}: holds a run already: add --resume true to go on with it, or choose another --output"
            )
        try:
            changed = changed_fields(self.config.read_text(encoding="utf-8"), config_text)
        except (InputError, UnicodeDecodeError) as error:
            raise InputError(f"{self.config}: cannot be read as the config of a run ({error})") from None
        if changed:
            raise InputError(
                f"{self.path}: was begun with another config ({'; '.join(changed)}): a resumed run must keep its config"
            )

    def refuse_other_data(self, hashes: Mapping[str, str]) -> None:
        """Refuse to go on with other data than the run was begun with, where its provenance tells.

        Args:
            hashes: of what is there now, by the names of the provenance.

        Raises:
            InputError: one differs from that kept; it is named.
        """
        known = read_json(self.provenance)["data"] if self.provenance.exists() else {}
        for name, content_hash in hashes.items():
            if known.get(name, content_hash) != content_hash:
                raise InputError(
                    f"{self.path}: was begun with another {name} (hash {known[name]}): a resumed run must keep it"
                )
