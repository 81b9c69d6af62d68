"""`bcls label audit`: hold scorers against human ratings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import parse_words, scorer_from
from bcls.cli.outputs import refuse_other
from bcls.errors import InputError
from bcls.progress import counted

if TYPE_CHECKING:
    from bcls.data import RetrievalDataset
    from bcls.relevance.audit import Correlation, GapPoint, HumanRatings, OrderAgreement, ScorerAudit

DESCRIPTION = """How far can a scorer be trusted as continuous labels? Holds scorers against people's ratings of how
alike two captions are: rank correlation, agreement in order as a function of the gap, a gap to train with, and a
calibration to the human scale. Document frequencies of tfidf and cider come from the rated captions, unless --data
names a data set.

example: bcls label audit ratings.csv --highest 5 --scorers [tfidf,cider,sentence] --output runs/audit"""


def run(words: list[str]) -> int:
    """Audit each scorer, print the tables, write numbers, calibrations and the picture."""
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls label audit", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("ratings", type=str, help="CSV or parquet: caption1, caption2 (or their ids) and score")
    parser.add_argument("--highest", type=float, required=True, help="the score that means the same")
    parser.add_argument("--lowest", type=float, default=0.0, help="the score that means nothing in common")
    parser.add_argument("--group", type=str | None, default=None, help="a column that tells kinds of pairs apart")
    parser.add_argument("--scorers", type=list[str], default=["tfidf", "cider"], help="as for `bcls label`")
    parser.add_argument("--data", type=str | None, default=None, help="data set of the document frequencies (and ids)")
    parser.add_argument("--fit_split", type=str, default="train", help="its split that document frequencies come from")
    parser.add_argument("--sample", type=int | None, default=None, help="audit so many pairs, drawn by the seed")
    parser.add_argument("--resamples", type=int, default=200, help="bootstrap resamples of the intervals; 0 = none")
    parser.add_argument("--seed", type=int, default=0, help="of all draws")
    parser.add_argument("--picture", type=str, default="png", help="png, svg or none")
    parser.add_argument("--output", type=str, default="runs/audit", help="folder of the results")
    parser.add_argument("--overwrite", type=bool, default=False, help="replace the results of another audit")
    given = parse_words(parser, words)
    from bcls.files import write_json  # noqa: PLC0415
    from bcls.relevance.audit import draw_audits, read_ratings, require_plotting  # noqa: PLC0415

    output = Path(given["output"])
    picture = None if given["picture"] == "none" else output / f"audit.{given['picture']}"
    if picture is not None:
        require_plotting(picture)
    if not given["scorers"]:
        raise InputError("--scorers names none; there are: sentence, sentence:MODEL, tfidf, cider")
    scorers = [scorer_from(name) for name in given["scorers"]]
    asked = {name: given[name] for name in ("group", "scorers", "data", "sample", "fit_split")}
    asked |= {"ratings": given["ratings"], "lowest": given["lowest"], "highest": given["highest"]}
    asked |= {"resamples": given["resamples"], "seed": given["seed"]}
    refuse_other(output / "audit.json", asked, overwrite=given["overwrite"], what="audit")
    dataset = _open(given["data"])
    texts = None if dataset is None else dict(zip(dataset.caption_ids, dataset.caption_texts, strict=True))
    scale = {"lowest": given["lowest"], "highest": given["highest"]}
    ratings = read_ratings(given["ratings"], **scale, captions=texts, group=given["group"])
    whole = len(ratings)
    ratings = ratings if given["sample"] is None else ratings.sample(given["sample"], given["seed"])
    audits = _audit(scorers, ratings, dataset, given)
    for audit in audits:
        audit.calibration.save(output / "calibration" / f"{audit.scorer}.json")
    about = {"ratings": Path(given["ratings"]).name, **scale, "rated_pairs": whole, "audited_pairs": len(ratings)}
    about |= {"resamples": given["resamples"], "seed": given["seed"]}
    write_json(output / "audit.json", {"about": asked, **about, "scorers": [audit.summary() for audit in audits]})
    if picture is not None:
        draw_audits(audits, picture)
    _say(audits, ratings, whole, output)
    return 0


def _open(path: str | None) -> RetrievalDataset | None:
    if path is None:
        return None
    from bcls.data import read_dataset  # noqa: PLC0415

    return read_dataset(path)


def _audit(
    scorers: Sequence[Any], ratings: HumanRatings, dataset: RetrievalDataset | None, given: dict[str, Any]
) -> list[ScorerAudit]:
    from bcls.relevance.audit import audit_scorer  # noqa: PLC0415

    fitted: dict[str, Any] = {}
    if dataset is not None:
        part = dataset.split(given["fit_split"])
        name = f"the captions of {dataset.name}, {given['fit_split']}"
        fitted = {"collection": part.caption_texts, "caption_image": part.caption_image, "fitted_on": name}
    return [
        audit_scorer(scorer, ratings, resamples=given["resamples"], seed=given["seed"], **fitted) for scorer in scorers
    ]


def _say(audits: Sequence[ScorerAudit], ratings: HumanRatings, whole: int, output: Path) -> None:
    from bcls.evaluation import text_table  # noqa: PLC0415

    tables = {
        "rank correlation with people, 95% interval": {a.scorer: _correlations(a.whole) for a in audits},
        f"Spearman by rating ({ratings.lowest:g} to {ratings.highest:g}) and by group": {
            a.scorer: {name: part.spearman.value for name, part in (a.bands | a.groups).items()} for a in audits
        },
        "gap whose survivors people order the same way so often, share that survives": {
            a.scorer: _gaps(a.order) for a in audits
        },
        "recommended gap; agreement where pairs share a caption, as in a query": {
            a.scorer: _recommended(a) for a in audits
        },
        **_group_tables(audits),
        "calibrated: mean error held out (0 to 1), gaps on the human scale": {
            a.scorer: {"mean/error": a.error, **_gaps(a.calibrated)} for a in audits
        },
    }
    sampled = "" if len(ratings) == whole else f" (a sample of {whole})"
    print(f"{counted(len(ratings), 'rated pair')}{sampled} of {counted(len(ratings.captions), 'caption')}")
    print(f"document frequencies of tfidf and cider: from {audits[0].fitted_on}")
    which = "all" if audits[0].every_comparison else "a seeded sample"
    print(f"comparisons of two rated pairs: {which}, {len(audits[0].order)} that people order")
    for title, rows in tables.items():
        print(f"\n{title}\n{text_table(rows, list(dict.fromkeys(key for row in rows.values() for key in row)))}")
    print(f"\nnumbers, calibrations and picture: {output}")


def _group_tables(audits: Sequence[ScorerAudit]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        f"the same gaps among pairs of the group {name}": {a.scorer: _gaps(a.group_orders[name]) for a in audits}
        for name in audits[0].group_orders
    }


def _correlations(found: Correlation) -> dict[str, float]:
    both = {"Spearman": found.spearman, "tau-b": found.kendall}
    return {f"{name}/{part}": value for name, all_of in both.items() for part, value in all_of._asdict().items()}


def _gaps(order: OrderAgreement) -> dict[str, float]:
    from bcls.relevance.audit.scorer_audit import LEVELS  # noqa: PLC0415

    points = {f"{level:.0%}": order.reaching(level) for level in LEVELS}
    return {key: value for name, point in points.items() for key, value in _pair(name, point).items()}


def _pair(name: str, point: GapPoint | None) -> dict[str, float]:
    return {f"{name}/gap": float("nan"), f"{name}/share": float("nan")} | (
        {} if point is None else {f"{name}/gap": point.gap, f"{name}/share": point.share}
    )


def _recommended(audit: ScorerAudit) -> dict[str, float]:
    point = audit.recommended
    if point is None:
        return _pair("any two", None)
    within = audit.sharing.at(point.gap)
    return {
        "any two/gap": point.gap,
        "any two/agreement": point.agreement,
        "any two/share": point.share,
        "sharing/agreement": within.agreement,
        "sharing/share": within.share,
    }
