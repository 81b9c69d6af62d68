"""The queries that two runs answer differently: sorted, filtered, opened one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from bcls.evaluation.report.contents import ChangedQuery, Changes
from bcls.evaluation.report.gallery import KINDS, ranking
from bcls.evaluation.report.numbers import number
from bcls.evaluation.report.pictures import Pictures

FILTERS: dict[str, tuple[str, dict[str, str]]] = {
    "measure": ("Change in", {"rank": "rank", "ndcg": "NDCG@10"}),
    "side": ("Show", {"": "both", "better": "better only", "worse": "worse only"}),
    "direction": ("Queries", {"": "both", "text_to_image": "captions", "image_to_text": "pictures"}),
    "words": ("Words", {"": "any", "0-8": "8 or fewer", "9-12": "9 to 12", "13-9999": "13 or more"}),
    "near": ("Near misses", {"": "any", "0-0": "none", "1-4": "1 to 4", "5-999999": "5 or more"}),
}


def changes_section(changes: Changes, pictures: Pictures) -> str:
    """Counts of all queries, then the chosen ones; without JavaScript all of them, in the order given."""
    graded = any(query.ndcg is not None for query in changes.queries)
    first, second = map(escape, changes.runs)
    entries = "".join(_entry(query, pictures) for query in changes.queries)
    near = f" A near miss is a wrong candidate of relevance {number(changes.near_miss, 2)} or more." if graded else ""
    if not changes.queries:
        return f"<section><h2>Query by query</h2><p>No query changed from {first} to {second}.</p></section>"
    return (
        '<section id="changes" aria-labelledby="changes-title"><h2 id="changes-title">Query by query</h2>'
        f"<p>From {first} to {second}.</p>{_counts(changes.counts)}"
        "<p>Below are the queries that changed most, as many for the better as for the worse in each direction: "
        f"extremes, not the usual case. Changes of rank are compared as ratios: 8 to 2 counts as 40 to 10.{near}</p>"
        f'{_filters(graded)}<div class="entries">{entries}</div>'
        '<p id="none" hidden>No query passes these filters.</p></section>'
    )


def _counts(counts: Mapping[str, tuple[int, int, int]]) -> str:
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("better", "same", "worse", ""))
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{value:,}</td>" for value in values)
        + f"<td>{_share(values)}</td></tr>"
        for name, values in counts.items()
    )
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Queries that changed"><table class="counts"><thead>'
        f'<tr><th scope="col">queries</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _share(values: tuple[int, int, int]) -> str:
    parts = "".join(
        f'<i class="{name}" style="flex-grow:{value}"></i>'
        for name, value in zip(("better", "same", "worse"), values, strict=True)
        if value
    )
    return f'<span class="share" aria-hidden="true">{parts}</span>'


def _filters(graded: bool) -> str:
    selects = "".join(
        f'<label>{label}<select data-filter="{name}">'
        + "".join(f'<option value="{value}">{words}</option>' for value, words in options.items())
        + "</select></label>"
        for name, (label, options) in FILTERS.items()
        if graded or name not in {"measure", "near"}
    )
    return (
        f'<form class="filters" hidden>{selects}<p class="hint"><output id="found" aria-live="polite"></output> '
        '<span class="keys">↑ ↓ go through them, Enter opens</span></p></form>'
    )


def _entry(query: ChangedQuery, pictures: Pictures) -> str:
    moves = [_move("rank", *query.ranks, math.log2(query.ranks[0] / query.ranks[1]), 0)]
    values = {"direction": query.direction, "rank": f"{math.log2(query.ranks[0] / query.ranks[1]):.4f}"}
    facts = [f"{query.words} words" if query.direction == "text_to_image" else f"captions of {query.words} words"]
    values["words"] = str(query.words)
    if query.ndcg is not None:
        gain = query.ndcg[1] - query.ndcg[0]
        moves.append(_move("NDCG@10", *query.ndcg, gain, 2))
        values["ndcg"] = f"{gain:.6f}"
    if query.near_misses is not None:
        facts.append(f"{query.near_misses} near {'miss' if query.near_misses == 1 else 'misses'}")
        values["near"] = str(query.near_misses)
    data = " ".join(f'data-{name}="{value}"' for name, value in values.items())
    label = escape(query.label)
    asked = f"<q>{label}</q>"
    if query.picture is not None:
        asked = f"{pictures.tag(query.picture, f'picture {label}')}<span>{label}</span>"
    return (
        f'<details class="change {KINDS[query.direction]}" {data}><summary><span class="asking">{asked}</span>'
        f'<span class="moves">{"".join(moves)}</span></summary>'
        f'<p class="facts">{" · ".join(facts)}</p>{_body(query, pictures)}</details>'
    )


def _move(name: str, first: float, second: float, gain: float, decimals: int) -> str:
    side, mark = ("better", "▲") if gain > 0 else ("worse", "▼") if gain < 0 else ("same", "=")
    return (
        f'<span class="move {side}"><small>{name}</small> {number(first, decimals)} → {number(second, decimals)} '
        f'<b role="img" aria-label="{side}">{mark}</b></span>'
    )


def _body(query: ChangedQuery, pictures: Pictures) -> str:
    what = "Right picture" if query.direction == "text_to_image" else "Its own captions"
    rankings = "".join(
        ranking(f"{name}: right answer at {number(rank, 0)}", items, pictures)
        for (name, items), rank in zip(query.rankings.items(), query.ranks, strict=True)
    )
    return (
        f'<div class="pair"><div class="answers">{ranking(what, query.answers, pictures)}</div>'
        f'<div class="rankings">{rankings}</div></div>'
    )
