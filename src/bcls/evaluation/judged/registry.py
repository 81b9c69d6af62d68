"""Judged protocols by name: what each needs and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bcls.errors import InputError
from bcls.evaluation.judged.coherent_score import judge_coherent_score
from bcls.evaluation.judged.cxc import judge_cxc, judge_cxc_ratings
from bcls.evaluation.judged.cxc_within import judge_cxc_within
from bcls.evaluation.judged.eccv import judge_eccv
from bcls.evaluation.judged.eccv_package import eccv_package
from bcls.evaluation.judged.flickr8k_grades import flickr8k_truth, judge_flickr8k_crowd, judge_flickr8k_expert
from bcls.evaluation.judged.pmrp import judge_pmrp
from bcls.evaluation.judged.pmrp_eccv import judge_pmrp_eccv
from bcls.evaluation.judged.semantic_score import judge_semantic_score
from bcls.evaluation.judged.task import Task
from bcls.evaluation.protocols import PROTOCOLS
from bcls.evaluation.truth import RetrievalTruth

TruthFromIds = Callable[[Sequence[str], Sequence[str]], RetrievalTruth]

EACH_AND_MEAN = ("image_to_text/", "text_to_image/", "")
SIX_RECALLS = tuple(f"{side}/recall@{cutoff}" for side in ("image_to_text", "text_to_image") for cutoff in (1, 5, 10))


@dataclass(frozen=True)
class JudgedProtocol:
    """One yardstick with judgements of its own.

    Args:
        meaning: what a result under this name means.
        judge: makes the metrics.
        shown: what a table shows of them, in this order; those that a result has not are left out.
        files: what `Task.files` are; empty = it takes none.
        graded: whether it needs `Task.relevance`.
        aggregate: how a scorer's relevance is made of the similarities to an image's captions.
        truth_from_ids: the image of every caption, where the ids tell it; None where a data set must.
    """

    meaning: str
    judge: Callable[[Task], dict[str, float]]
    shown: tuple[str, ...]
    files: str = ""
    graded: bool = False
    aggregate: Literal["max", "mean"] = "max"
    truth_from_ids: TruthFromIds | None = None


def _coco_truth(image_ids: Sequence[str], caption_ids: Sequence[str]) -> RetrievalTruth:
    return eccv_package().truth(image_ids, caption_ids)


JUDGED: dict[str, JudgedProtocol] = {
    "eccv": JudgedProtocol(
        "ECCV Caption on COCO's test split: mAP@R, R-Precision, recall by verified positives; recall by COCO's, CxC's",
        judge_eccv,
        (
            *(f"{side}{name}" for name in ("map@r", "r_precision") for side in EACH_AND_MEAN),
            *SIX_RECALLS,
            "coco_1k_rsum",
            "coco_5k_rsum",
            "cxc_rsum",
        ),
        truth_from_ids=_coco_truth,
    ),
    "cxc": JudgedProtocol(
        "Crisscrossed Captions on COCO's test split: recall by COCO's own pairs and those that people rated 3 or more",
        judge_cxc,
        (*SIX_RECALLS, "rsum"),
        truth_from_ids=_coco_truth,
    ),
    "cxc-ratings": JudgedProtocol(
        "Crisscrossed Captions' ratings: Spearman's correlation by resampled queries, times 100",
        judge_cxc_ratings,
        tuple(f"{task}_{name}" for task in ("sts", "sis", "sits") for name in ("spearman", "spearman_deviation")),
        files="sts_*.csv, sis_*.csv, sits_*.csv",
    ),
    "cxc-within": JudgedProtocol(
        "Crisscrossed Captions within one side: recall of captions by a caption, and of images by an image",
        judge_cxc_within,
        tuple(f"{side}/recall@{cutoff}" for side in ("text_to_text", "image_to_image") for cutoff in (1, 5, 10)),
        files="sts_*.csv, sis_*.csv",
    ),
    "pmrp": JudgedProtocol(
        "PCME's plausible-match R-Precision: images that differ in at most 0, 1, 2 kinds of objects, mean over these",
        judge_pmrp,
        tuple(f"{side}{name}" for name in ("pmrp", "pmrp_1k") for side in EACH_AND_MEAN),
        files="instances_val2014.json",
    ),
    "pmrp-eccv": JudgedProtocol(
        "ECCV Caption's plausible-match R-Precision, by its files; its numbers do not compare with those of 'pmrp'",
        judge_pmrp_eccv,
        tuple(f"{side}pmrp_eccv" for side in EACH_AND_MEAN),
        files="pm_image_to_caption.json and pm_caption_to_image.json",
        truth_from_ids=_coco_truth,
    ),
    "cs@k": JudgedProtocol(
        "the coherent score: tau-b of scores and relevance on the K best scored candidates, one caption an image",
        judge_coherent_score,
        tuple(f"{side}cs@{cutoff}" for cutoff in (100, 200, 1000) for side in EACH_AND_MEAN),
        graded=True,
    ),
    "ncs": JudgedProtocol(
        "the normalised cumulative semantic score and semantic recall: the worth of what is retrieved beside own pairs",
        judge_semantic_score,
        tuple(
            f"{side}{name}@{cutoff}"
            for name in ("ncs", "semantic_recall")
            for side in EACH_AND_MEAN
            for cutoff in (1, 5, 10)
        ),
        graded=True,
        aggregate="mean",
    ),
    "flickr8k-expert": JudgedProtocol(
        "Flickr8k-Expert: Kendall's tau-c with the grades of three experts",
        judge_flickr8k_expert,
        ("human_tau_c", "human_tau_b", "graded_pairs"),
        files="ExpertAnnotations.txt",
        truth_from_ids=flickr8k_truth,
    ),
    "flickr8k-cf": JudgedProtocol(
        "Flickr8k-CF: Kendall's tau-b with the crowd's share of yes",
        judge_flickr8k_crowd,
        ("human_tau_b", "human_tau_c", "graded_pairs"),
        files="CrowdFlowerAnnotations.txt",
        truth_from_ids=flickr8k_truth,
    ),
}
"""Protocols by name, beside those of `PROTOCOLS`, which only cut a gallery."""


def judge(
    protocol: str,
    similarity: Any,
    truth: RetrievalTruth,
    *,
    relevance: Any = None,
    files: Sequence[str | Path] = (),
) -> dict[str, float]:
    """Judge a model by a protocol of `JUDGED`.

    Args:
        protocol: its name.
        similarity: matrix (I, T), or a function that fills one block, such as `CosineSimilarity`.
        truth: the image of every caption, with the ids that the protocol expects.
        relevance: for graded protocols, see `Task`.
        files: the judgements' files, where the protocol takes any.

    Returns:
        Metrics by name; the protocol's function tells which.

    Raises:
        InputError: an unknown name, files or relevance missing or unasked for, or what the protocol refuses.

    Example:
        >>> judge("eccv", [[0.5]], RetrievalTruth.from_counts([1]), files=["a.csv"])
        Traceback (most recent call last):
        bcls.errors.InputError: the protocol 'eccv' takes no files of judgements
    """
    rule = find_judged(protocol)
    if bool(files) != bool(rule.files):
        raise InputError(
            f"the protocol {protocol!r} needs its files of judgements: {rule.files}"
            if rule.files
            else f"the protocol {protocol!r} takes no files of judgements"
        )
    if rule.graded and relevance is None:
        raise InputError(f"the protocol {protocol!r} needs relevance: name a scorer, or a file of relevance")
    return rule.judge(Task(similarity, truth, relevance, tuple(map(Path, files))))


def find_judged(protocol: str) -> JudgedProtocol:
    """The judged protocol of this name.

    Raises:
        InputError: there is none; the message lists all names.
    """
    if protocol not in JUDGED:
        known = ", ".join([*PROTOCOLS, *JUDGED])
        raise InputError(f"there is no protocol {protocol!r}: choose one of {known}")
    return JUDGED[protocol]
