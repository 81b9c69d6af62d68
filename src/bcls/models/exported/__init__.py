"""Models as ONNX files: written, quantized, and run without torch's modules. Needs the extra `onnx`."""

from __future__ import annotations

from bcls.models.exported.export import export_towers, quantize_towers
from bcls.models.exported.inputs import caption_inputs
from bcls.models.exported.towers import OnnxTowers

__all__ = ["OnnxTowers", "caption_inputs", "export_towers", "quantize_towers"]
