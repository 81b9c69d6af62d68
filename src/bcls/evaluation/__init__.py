"""How good is a model: ranks, recall, precision, graded order, protocols and agreement with people.

Arrays and ids go in, a flat dict of numbers comes out; encoding is the caller's.
"""

from __future__ import annotations

from bcls.evaluation.array_files import read_embeddings, read_similarity
from bcls.evaluation.comparison import Difference, compare
from bcls.evaluation.cosine import CosineSimilarity
from bcls.evaluation.difference_table import difference_table
from bcls.evaluation.dot import DotSimilarity, embeddings_similarity
from bcls.evaluation.evaluate import evaluate, evaluate_similarity, summarise
from bcls.evaluation.holm import holm
from bcls.evaluation.human import (
    Agreement,
    GradedPairs,
    Judgement,
    agreement,
    graded_pairs,
    read_crowdflower,
    read_expert,
)
from bcls.evaluation.judged import JUDGED, judge
from bcls.evaluation.kendall import kendall_tau_b
from bcls.evaluation.kept_similarity import KeptSimilarity
from bcls.evaluation.mean_similarity import MeanSimilarity
from bcls.evaluation.ndcg import ndcg
from bcls.evaluation.per_query import per_query, per_query_similarity
from bcls.evaluation.precision import average_precision_at_r, r_precision
from bcls.evaluation.protocols import PROTOCOLS, RetrievalProtocol
from bcls.evaluation.query_files import read_queries, write_queries
from bcls.evaluation.ranks import PositiveRanks, positive_ranks
from bcls.evaluation.recall import rank_summary, recall_at
from bcls.evaluation.reranking import per_query_reranked
from bcls.evaluation.results import read_result, write_comparison, write_result
from bcls.evaluation.row_lists import match_rows, read_caption_image, read_ids
from bcls.evaluation.similarity import GradedRelevance
from bcls.evaluation.table import MAIN_METRICS, markdown_table, text_table
from bcls.evaluation.top import TopCandidates, top_candidates
from bcls.evaluation.truth import RetrievalTruth

__all__ = [
    "JUDGED",
    "MAIN_METRICS",
    "PROTOCOLS",
    "Agreement",
    "CosineSimilarity",
    "Difference",
    "DotSimilarity",
    "GradedPairs",
    "GradedRelevance",
    "Judgement",
    "KeptSimilarity",
    "MeanSimilarity",
    "PositiveRanks",
    "RetrievalProtocol",
    "RetrievalTruth",
    "TopCandidates",
    "agreement",
    "average_precision_at_r",
    "compare",
    "difference_table",
    "embeddings_similarity",
    "evaluate",
    "evaluate_similarity",
    "graded_pairs",
    "holm",
    "judge",
    "kendall_tau_b",
    "markdown_table",
    "match_rows",
    "ndcg",
    "per_query",
    "per_query_reranked",
    "per_query_similarity",
    "positive_ranks",
    "r_precision",
    "rank_summary",
    "read_caption_image",
    "read_crowdflower",
    "read_embeddings",
    "read_expert",
    "read_ids",
    "read_queries",
    "read_result",
    "read_similarity",
    "recall_at",
    "summarise",
    "text_table",
    "top_candidates",
    "write_comparison",
    "write_queries",
    "write_result",
]
