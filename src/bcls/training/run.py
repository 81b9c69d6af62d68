"""One training run, from a config to a folder that holds all that it made."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from bcls.assessment.inputs import image_source
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data import RetrievalDataset
from bcls.data.labels import label_split
from bcls.data.relevance_files import file_of
from bcls.data.scenes import open_scene_relevance
from bcls.errors import InputError, MissingExtraError, UnreadableImageError
from bcls.evaluation import write_queries, write_result
from bcls.files import hash_of, write_json
from bcls.losses import BCLSLoss
from bcls.models import RetrievalModel
from bcls.relevance import Calibration, RelevanceSource
from bcls.training.best_epoch import about_epoch
from bcls.training.callbacks import (
    BestModel,
    CollapseWatch,
    EpochBar,
    HardNegativesStart,
    History,
    Judge,
    KendallWarmup,
    LoaderPlace,
)
from bcls.training.chance import Chance
from bcls.training.checks import check_run
from bcls.training.config import RunConfig, has_hard_negatives
from bcls.training.inputs import TrainingInputs, open_data, prepare_inputs
from bcls.training.module import RetrievalModule
from bcls.training.provenance import provenance
from bcls.training.resumed_words import refuse_other_words
from bcls.training.run_folder import RunFolder

try:
    import lightning as L
    import tensorboard  # noqa: F401 - Lightning asks for it when the run begins
    from lightning.pytorch.callbacks import Callback, ModelCheckpoint
    from lightning.pytorch.loggers import TensorBoardLogger
except ImportError:
    raise MissingExtraError("training", "train") from None

logger = logging.getLogger("bcls")


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        folder: the run's folder.
        metrics: of the best epoch's model on the validation split.
        best_epoch: counted from 1.
    """

    folder: Path
    metrics: dict[str, float]
    best_epoch: int


def train(config: RunConfig, config_text: str, *, resume: bool = False) -> TrainingResult:
    """Train, keep the best model, judge it, and write everything into `config.output`.

    The folder holds `config.yaml`, `provenance.json`, `history.csv`, `tensorboard/`, `checkpoints/last.ckpt`
    (to resume from), `model/` (the best epoch, as `RetrievalModel.from_pretrained` takes it), `queries.safetensors`
    (every validation query's own result) and `result.json`.

    Args:
        config: the run, from `load_config`.
        config_text: its YAML text, kept beside the result.
        resume: go on from the folder's last checkpoint; the result is that of an unbroken run, bit for bit on CPU.

    Raises:
        InputError: the folder is in use and `resume` is off, another process trains in it, its data are not those of
            its start, or the data or the config cannot be used. The folder stays as it was then.
        UnreadableImageError: an image file broke during the run; the run goes on with `resume` once it is whole.
    """
    folder = RunFolder(Path(config.output))
    folder.refuse_other_run(config_text, resume=resume)
    dataset = open_data(config.data, check_run(config))
    hashes = _data_hashes(config, dataset)
    folder.refuse_other_data(hashes)
    inputs = prepare_inputs(config, dataset, folder.labels(config.labels.folder))
    refuse_other_words(folder.model, inputs.model.caption_tower)
    judge = _judge(config, inputs, folder)
    best = BestModel(folder.model, config.validation.monitor, config.validation.patience)
    trainer = _trainer(config, folder, _callbacks(config, folder, inputs, judge, best))
    module = RetrievalModule(
        inputs.model, config.loss, config.optimization, steps=_steps(config, inputs), seed=config.seed
    )
    with folder.alone(), _named_resumption():
        folder.claim(config_text, resume=resume)
        write_json(folder.provenance, provenance({**hashes, "config": hash_of([config_text])}))
        checkpoint = _whole(folder.checkpoint) if resume and folder.checkpoint.exists() else None
        try:
            trainer.fit(module, inputs.loader, ckpt_path=checkpoint, weights_only=True)
        except SystemExit:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt from None
        queries = judge.queries(RetrievalModel.from_pretrained(folder.model))
        metrics = judge.summary(queries)
        write_queries(folder.queries, queries)
        best_epoch = best.best_epoch + 1
        about = {"run": folder.path.name, "split": config.data.validation_split, **about_epoch(best_epoch)}
        write_result(folder.result, metrics, about)
    return TrainingResult(folder.path, metrics, best_epoch)


@contextmanager
def _named_resumption() -> Iterator[None]:
    """Every image was opened before the start: one that cannot be read now broke since, and the run can go on."""
    try:
        yield
    except UnreadableImageError as error:
        raise UnreadableImageError(f"{error}; then go on where the run stopped with --resume true") from None


def _whole(checkpoint: Path) -> Path:
    """A checkpoint that can be resumed from.

    Raises:
        InputError: it is damaged or cut short.
    """
    try:
        torch.load(checkpoint, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # the reader stumbles over damage in nearly every way
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise InputError(f"{checkpoint}: damaged ({reason}); delete it to train from the start") from None
    return checkpoint


def _data_hashes(config: RunConfig, dataset: RetrievalDataset) -> dict[str, str]:
    """Of all that comes from outside and decides what is learnt."""
    hashes = {"dataset": dataset.content_hash()}
    if config.data.features is not None:
        hashes["features"] = dataset.features[config.data.features].fingerprint()
    if config.labels.table is not None:
        hashes["table"] = _file_hash(file_of(config.labels.table))
    if config.labels.calibration is not None:
        hashes["calibration"] = Calibration.load(config.labels.calibration).hash
    return hashes


def _file_hash(file: Path) -> str:
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    return sha256(file.read_bytes()).hexdigest()


def _judge(config: RunConfig, inputs: TrainingInputs, folder: RunFolder) -> SplitEvaluator:
    split = config.data.validation_split
    part = inputs.dataset.split(split)
    relevance: RelevanceSource | None = None
    if config.validation.scene_truth:
        relevance = open_scene_relevance(config.data.path, split)
    elif config.validation.scorer is not None:
        relevance = label_split(
            inputs.dataset,
            split,
            config.validation.scorer,
            folder.labels(config.labels.folder),
            fit_split=config.data.train_split,
        )
    images = image_source(part, config.data.features, inputs.model, config.data.workers)
    return SplitEvaluator(part, images, inputs.model, relevance)


def _callbacks(
    config: RunConfig, folder: RunFolder, inputs: TrainingInputs, judge: SplitEvaluator, best: BestModel
) -> list[Callback]:
    part = inputs.dataset.split(config.data.validation_split)
    history = History(folder.history, ("rsum", "ndcg@10", "tau_b"))
    collapse = CollapseWatch(Chance.of(len(part.images), len(part.caption_texts)), config.loss)
    callbacks: list[Callback] = [
        history,
        Judge(judge, [history, collapse, best]),
        best,
        collapse,
        LoaderPlace(inputs.loader),
        # Lightning's save_last with save_top_k=0 writes nothing before the end of training.
        ModelCheckpoint(
            folder.checkpoint.parent,
            filename=folder.checkpoint.stem,
            save_top_k=1,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
    ]
    if config.checkpoint_steps > 0:
        callbacks.append(
            ModelCheckpoint(
                folder.checkpoint.parent,
                save_last=True,
                save_top_k=0,
                every_n_train_steps=config.checkpoint_steps,
                enable_version_counter=False,
            )
        )
    if isinstance(config.loss, BCLSLoss):
        shares = config.optimization.kendall_warmup, config.optimization.kendall_start
        rise, start = (round(share * _steps(config, inputs)) for share in shares)
        callbacks.append(KendallWarmup(config.loss.kendall_weight, rise, start))
    if has_hard_negatives(config.loss):
        callbacks.append(HardNegativesStart(round(config.optimization.hard_negatives_start * _steps(config, inputs))))
    if _shows_progress():
        callbacks.append(EpochBar())
    return callbacks


def _steps(config: RunConfig, inputs: TrainingInputs) -> int:
    """Of the whole run: the sampler is asked for every epoch."""
    return inputs.loader.steps(config.optimization.epochs)


def _trainer(config: RunConfig, folder: RunFolder, callbacks: list[Callback]) -> L.Trainer:
    settings = config.optimization
    return L.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        precision=settings.precision,
        max_epochs=settings.epochs,
        reload_dataloaders_every_n_epochs=1,  # otherwise Lightning keeps the length of the first epoch
        gradient_clip_val=settings.gradient_clip or None,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        logger=TensorBoardLogger(folder.path, name="tensorboard", version=""),
        callbacks=callbacks,
        enable_progress_bar=_shows_progress(),
        enable_model_summary=False,
        log_every_n_steps=20,
    )


def _shows_progress() -> bool:
    return os.isatty(2) and os.environ.get("RANK", "0") == "0"
