"""Queries with the rankings of all runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bcls.evaluation.report.contents import GalleryQuery, RankedItem
from bcls.evaluation.report.numbers import number
from bcls.evaluation.report.pictures import Pictures

LEVELS = 10
ASKS = {"text_to_image": "Pictures for the caption", "image_to_text": "Captions for the picture"}
KINDS = {"text_to_image": "images", "image_to_text": "captions"}


def gallery_section(queries: list[GalleryQuery], pictures: Pictures) -> str:
    """All queries; with JavaScript one at a time, without it all below each other."""
    cards = "".join(
        f'<article class="query {KINDS[query.direction]}" aria-label="Query {place} of {len(queries)}">'
        f'<p class="asks">{ASKS[query.direction]}</p>{_asked(query, pictures)}'
        f'<div class="rankings">{"".join(ranking(n, r, pictures) for n, r in query.rankings.items())}</div></article>'
        for place, query in enumerate(queries, start=1)
    )
    swatches = "".join(f'<i class="relevance-{level}"></i>' for level in range(LEVELS + 1))
    return (
        '<section id="rankings" aria-labelledby="rankings-title"><h2 id="rankings-title">Rankings side by side</h2>'
        "<p>The first places of each model. The bar and the number tell the true relevance; a thick frame and ✓ mark a "
        "right answer. A good ranking fades slowly.</p>"
        f'<p class="scale">not relevant <span aria-hidden="true">{swatches}</span> fully relevant</p>'
        '<p class="turn" hidden><button type="button" id="previous">← Previous</button>'
        '<output id="place" aria-live="polite"></output><button type="button" id="next">Next →</button>'
        '<span class="hint">or the arrow keys</span></p>'
        f"{cards}</section>"
    )


def _asked(query: GalleryQuery, pictures: Pictures) -> str:
    label = escape(query.label)
    if query.picture is None:
        return f'<h3 class="asked">“{label}”</h3>'
    shown = pictures.tag(query.picture, f"query picture {label}")
    return f'<h3 class="asked with-picture">{shown}<span>{label}</span></h3>'


def ranking(name: str, items: Sequence[RankedItem], pictures: Pictures) -> str:
    """One run's places under its name."""
    places = "".join(ranked_item(item, pictures) for item in items)
    return f'<div class="ranking"><h4>{escape(name)}</h4><ol>{places}</ol></div>'


def ranked_item(item: RankedItem, pictures: Pictures) -> str:
    """One place: a picture or a caption, its true relevance, a mark where it is right."""
    label = escape(item.label)
    known = item.relevance is not None
    level = round(LEVELS * item.relevance) if item.relevance is not None else 0
    relevance = number(item.relevance, 2) if item.relevance is not None else "?"
    right = '<b class="right" title="a right answer">✓</b>' if item.positive else ""
    shown = pictures.tag(item.picture, label) if item.picture is not None else f"<q>{label}</q>"
    bar = f'<i class="relevance relevance-{level}" style="--share:{level * 10}%"></i>' if known else ""
    return (
        f'<li class="{"positive" if item.positive else "other"}" '
        f'title="{label}, similarity {number(item.similarity, 3)}">{shown}'
        f'<span class="grade">{bar}<span>{relevance}</span>{right}</span></li>'
    )
