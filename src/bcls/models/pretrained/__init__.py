"""Towers around pretrained transformers: CLIP, SigLIP, or any vision and text encoder. Needs the extra `hf`."""

from __future__ import annotations

from bcls.models.pretrained.caption_tower import PretrainedCaptionTower
from bcls.models.pretrained.image_tower import PretrainedImageTower

__all__ = ["PretrainedCaptionTower", "PretrainedImageTower"]
