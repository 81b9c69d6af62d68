"""Graded retrieval metrics as an evaluator of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, evaluate, write_result


class GradedRetrievalEvaluator(SentenceEvaluator):
    """Retrieval in both directions over a whole (images, captions) task, with graded metrics where there is relevance.

    `model.encode` embeds, `bcls.evaluate` judges. `primary_metric` is `ndcg@10` with relevance and `rsum` without, so
    that `load_best_model_at_end` keeps the model of the best graded order.

    Args:
        images: what `model.encode` takes for an image: pictures, or paths or texts that the model knows as such.
        captions: texts.
        truth: the image of every caption.
        relevance: as for `evaluate`: matrix (images, captions), or an object with `matrix(images, captions)`; None for
            no graded metric.
        protocol: a name of the evaluation's `PROTOCOLS`.
        name: of the data, before the metrics' names.
        batch_size: inputs that are embedded at once.

    Raises:
        InputError: other numbers of images or captions than the truth has.

    Example:
        >>> evaluator = GradedRetrievalEvaluator(["a dog", "a cat"], ["dog", "cat"], RetrievalTruth.from_counts([1, 1]))
        >>> evaluator.primary_metric  # now evaluator(model), or SentenceTransformerTrainer(evaluator=evaluator, ...)
        'rsum'
    """

    def __init__(
        self,
        images: Sequence[Any],
        captions: Sequence[str],
        truth: RetrievalTruth,
        *,
        relevance: Any = None,
        protocol: str = "whole",
        name: str = "",
        batch_size: int = 32,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        for what, given, expected in (
            ("images", len(images), truth.images),
            ("captions", len(captions), truth.captions),
        ):
            if given != expected:
                raise InputError(f"{given} {what} are given, but the truth has {expected}")
        self.images = images
        self.captions = captions
        self.truth = truth
        self.relevance = relevance
        self.protocol = protocol
        self.name = name
        self.batch_size = batch_size
        self.primary_metric = "rsum" if relevance is None else "ndcg@10"

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """Embed and judge.

        Args:
            model: a `SentenceTransformer` that embeds images and captions.
            output_path: folder for a JSON file of the metrics; None = none is written.
            epoch: for the file and the model card.
            steps: for the file and the model card.

        Returns:
            What `evaluate` returns, each name after `NAME_` where there is a name.
        """
        metrics = evaluate(
            model.encode(self.images, batch_size=self.batch_size, convert_to_numpy=True),
            model.encode(self.captions, batch_size=self.batch_size, convert_to_numpy=True),
            self.truth,
            protocol=self.protocol,
            relevance=self.relevance,
        )
        if output_path is not None:
            words = ["graded_retrieval", *([self.name] if self.name else []), f"epoch{epoch}", f"steps{steps}"]
            about = {"name": self.name, "protocol": self.protocol, "epoch": epoch, "steps": steps}
            write_result(Path(output_path) / f"{'_'.join(words)}.json", metrics, about)
        named: dict[str, float] = self.prefix_name_to_metrics(metrics, self.name)
        self.store_metrics_in_model_card_data(model, named, epoch, steps)
        return named

    def get_config_dict(self) -> dict[str, Any]:
        """The settings, for the model card."""
        return {"protocol": self.protocol, "images": self.truth.images, "captions": self.truth.captions}
