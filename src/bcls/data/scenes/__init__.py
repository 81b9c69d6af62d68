"""Made pictures with captions whose true relevance is known from what was drawn."""

from __future__ import annotations

from bcls.data.scenes.generate import make_scenes, open_scene_relevance
from bcls.data.scenes.scene import Claim, Claims, Group, Scene
from bcls.data.scenes.truth import SceneRelevance

__all__ = ["Claim", "Claims", "Group", "Scene", "SceneRelevance", "make_scenes", "open_scene_relevance"]
