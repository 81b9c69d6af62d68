"""BCLS: image-text retrieval with binary and continuous label supervision."""

from __future__ import annotations

__version__ = "0.1.0"
