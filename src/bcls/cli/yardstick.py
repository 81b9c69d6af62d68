"""What `bcls evaluate` and `bcls compare` judge by: the protocol, its files, and where relevance comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import scorer_from, scorer_words
from bcls.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonargparse import ArgumentParser
    from numpy.typing import NDArray

    from bcls.evaluation.judged import JudgedProtocol
    from bcls.relevance import Scorer


DEFAULT_SCORER = "cider"
SCORERS = "judges graded order: cider, tfidf, sentence, none; default: the run's validation.scorer, else cider"


def add_yardstick(parser: ArgumentParser) -> None:
    """Add the options that tell what is judged by."""
    parser.add_argument("--data", type=str | None, default=None, help="the data set; default: the run's")
    parser.add_argument("--features", type=str | None, default=None, help="the features; default: the run's")
    parser.add_argument("--split", type=str | None, default=None, help="which split; default: the run's, else val")
    parser.add_argument("--scorer", type=str | None, default=None, help=SCORERS)
    parser.add_argument("--scene_truth", type=bool | None, default=None, help="judge by the truth of made scenes")
    parser.add_argument("--labels", type=str | None, default=None, help="folder of encodings; default: the run's")
    parser.add_argument(
        "--fit_split", type=str | None, default=None, help="where document frequencies come from; default: the run's"
    )
    parser.add_argument("--relevance", type=str | None, help="instead of a scorer: a file (images, captions) in 0..1")
    parser.add_argument("--protocol", type=str, default="whole", help=f"one of: {protocol_names()}")
    parser.add_argument("--judgements", type=str, nargs="+", help="files of a protocol with judgements")
    parser.add_argument(
        "--similarity_function", type=str, default="cosine", help="how files of embeddings are compared: cosine or dot"
    )
    parser.add_argument("--overwrite", type=bool, default=False, help="replace the result of something else")


def protocol_names() -> str:
    """All names, for the help."""
    from bcls.evaluation import JUDGED, PROTOCOLS  # noqa: PLC0415

    return ", ".join([*PROTOCOLS, *JUDGED])


def judged_protocol(protocol: str) -> JudgedProtocol | None:
    """The judged protocol of this name; None for one that only cuts a gallery.

    Raises:
        InputError: there is no protocol of this name.
    """
    from bcls.evaluation import PROTOCOLS  # noqa: PLC0415
    from bcls.evaluation.judged import find_judged  # noqa: PLC0415

    return None if protocol in PROTOCOLS else find_judged(protocol)


def check_protocol(given: dict[str, Any]) -> None:
    """Refuse options that the protocol has no use for.

    Raises:
        InputError: files for a protocol without judgements, or relevance from two sources.
    """
    judged = judged_protocol(given["protocol"])
    if given["judgements"] and (judged is None or not judged.files):
        raise InputError(f"the protocol {given['protocol']!r} takes no --judgements")
    if judged is not None and judged.files and not given["judgements"]:
        raise InputError(f"the protocol {given['protocol']!r} needs --judgements: {judged.files}")
    if sum(map(bool, (given["relevance"], given["scorer"], given["scene_truth"]))) > 1:
        raise InputError("relevance comes from one source: --relevance, --scorer or --scene_truth")
    if judged is not None and not judged.graded and (given["relevance"] or given["scene_truth"] is True):
        raise InputError(f"the protocol {given['protocol']!r} has judgements of its own: it takes no relevance")


def relevance_source(given: dict[str, Any]) -> str:
    """Whose relevance judges graded order: a scorer's name, a file, `scene_truth`, or none."""
    judged = judged_protocol(given["protocol"])
    if judged is not None and not judged.graded:
        return "none"
    if given["scene_truth"]:
        return "scene_truth"
    if given["relevance"] or given["scorer"]:
        return str(given["relevance"] or given["scorer"])
    own = given.get("own_scorer")
    return DEFAULT_SCORER if own is None else scorer_words(own)


def result_name(given: dict[str, Any]) -> str:
    """What a result on the split is called: protocol and relevance stand in it where they are not the usual ones."""
    parts = [] if given["split"] is None else [given["split"].replace("/", "-")]
    if given.get("similarity_function", "cosine") != "cosine":
        parts.append(given["similarity_function"])
    if given["protocol"] != "whole":
        parts.append(given["protocol"])
    judged, source = judged_protocol(given["protocol"]), relevance_source(given)
    ungraded = source == "none" and given["split"] is None  # there was nothing to choose
    if source != DEFAULT_SCORER and not ungraded and (judged is None or judged.graded):
        parts.append(Path(source).stem if given["relevance"] else source.replace("/", "-").replace(":", "-"))
    return ".".join(parts)


def given_scorer(given: dict[str, Any]) -> Scorer | None:
    """The scorer of relevance; None where none is wanted, or it comes from elsewhere."""
    source = relevance_source(given)
    if source in {"none", "scene_truth"} or given["relevance"]:
        return None
    own: Scorer | None = given.get("own_scorer")
    return scorer_from(source) if own is None or given["scorer"] else own


def given_relevance(given: dict[str, Any], data: str | None = None) -> NDArray[Any] | None:
    """The matrix of relevance (images, captions) from a file; None where no file is named.

    Args:
        given: the command's options.
        data: the data set, whose ids a table of rated pairs names.

    Raises:
        InputError: the file cannot be used, or a table comes without a data set.
    """
    if given["relevance"] is None:
        return None
    from bcls.data.relevance_files import is_table, read_relevance_file  # noqa: PLC0415

    if not is_table(given["relevance"]):
        from bcls.evaluation.array_files import read_relevance  # noqa: PLC0415

        return read_relevance(given["relevance"])
    if data is None:
        raise InputError(f"{given['relevance']}: a table of rated pairs names ids: name the data set with --data")
    import numpy as np  # noqa: PLC0415

    from bcls.data import read_dataset  # noqa: PLC0415

    part = read_dataset(data).split(given["split"])
    source = read_relevance_file(given["relevance"], part)
    return source.matrix(np.arange(len(part.images)), np.arange(len(part.caption_ids)))


def protocol_meaning(protocol: str) -> str:
    """What a result under this name means."""
    from bcls.evaluation import PROTOCOLS  # noqa: PLC0415

    judged = judged_protocol(protocol)
    return PROTOCOLS[protocol].meaning if judged is None else judged.meaning


def shown_metrics(protocol: str) -> Sequence[str] | None:
    """What the table shows; None for the usual metrics."""
    judged = judged_protocol(protocol)
    return None if judged is None else judged.shown
