"""Models: an image tower and a caption tower that meet in one space, behind `RetrievalModel`."""

from __future__ import annotations

from bcls.models.attention_filtration import AttentionFiltration
from bcls.models.bag_of_words import BagOfWordsTower
from bcls.models.bigru import BiGRUTower
from bcls.models.card import ModelCard, card_of_run
from bcls.models.convolution import ConvTower
from bcls.models.cross_attention import CrossAttention
from bcls.models.fingerprint import fingerprint
from bcls.models.gpo import GeneralizedPooling
from bcls.models.graph_reasoning import GraphReasoning
from bcls.models.pooled_features import PooledFeatureTower
from bcls.models.pretrained import PretrainedCaptionTower, PretrainedImageTower
from bcls.models.region_features import RegionFeatureTower
from bcls.models.retrieval_model import RetrievalModel
from bcls.models.sentence_encoder import SentenceEncoderTower
from bcls.models.similarity import Cosine, Similarity
from bcls.models.sum_of_towers import SumCaptionTower
from bcls.models.towers import CaptionBatch, CaptionTower, ImageTower
from bcls.models.vse_infinity import read_vse_infinity

__all__ = [
    "AttentionFiltration",
    "BagOfWordsTower",
    "BiGRUTower",
    "CaptionBatch",
    "CaptionTower",
    "ConvTower",
    "Cosine",
    "CrossAttention",
    "GeneralizedPooling",
    "GraphReasoning",
    "ImageTower",
    "ModelCard",
    "PooledFeatureTower",
    "PretrainedCaptionTower",
    "PretrainedImageTower",
    "RegionFeatureTower",
    "RetrievalModel",
    "SentenceEncoderTower",
    "Similarity",
    "SumCaptionTower",
    "card_of_run",
    "fingerprint",
    "read_vse_infinity",
]
