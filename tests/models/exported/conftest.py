"""A model and its exported files, and a tower that cannot be exported."""

from __future__ import annotations

import pytest

from bcls.models.exported import export_towers, quantize_towers
from bcls.models.towers import CaptionTower


@pytest.fixture(scope="session")
def exported(make_model, tmp_path_factory):
    """Features and bags of words: the model, the folder, images of another number than at the export."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    model, images = make_model()
    folder = tmp_path_factory.mktemp("exported")
    export_towers(model, folder, images[:2])
    quantize_towers(folder)
    return model, folder, images


class OtherTower(CaptionTower):
    """One that this package does not know."""

    dim = 6

    def fit(self, captions):
        pass

    def restore(self, fitted):
        pass

    def fitted(self):
        return {}

    def tokenize(self, captions):
        raise AssertionError("nobody asks for it")

    project = tokenize


@pytest.fixture
def other_tower() -> CaptionTower:
    return OtherTower()
