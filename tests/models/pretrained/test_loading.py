"""What goes wrong in transformers is one error, and its own talk is as before afterwards."""

from __future__ import annotations

import logging
import sys

import pytest

from bcls.errors import InputError, MissingExtraError
from bcls.models.pretrained.loading import loading, transformers

pytest.importorskip("transformers")


@pytest.fixture
def verbosity():
    """Asks how much transformers tells; it tells infos here, and what it told before afterwards."""
    from transformers.utils import logging as theirs

    before = theirs.get_verbosity()
    theirs.set_verbosity(logging.INFO)
    yield theirs.get_verbosity
    theirs.set_verbosity(before)


@pytest.fixture
def without_transformers(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("transformers.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "transformers", None)


def test_the_library_is_that_which_is_installed():
    import transformers as library

    assert transformers() is library


def test_without_the_library_the_extra_is_named(without_transformers):
    message = r"^a pretrained tower needs an extra: pip install 'bcls\[hf\]'$"
    with pytest.raises(MissingExtraError, match=message):
        transformers()
    with pytest.raises(MissingExtraError, match=message), loading("a model"):
        pass


def test_only_errors_are_told_inside(verbosity):
    from transformers.utils import logging as theirs

    with loading("a model"):
        assert verbosity() == logging.ERROR
        assert not theirs.is_progress_bar_enabled()
    assert verbosity() == logging.INFO
    assert theirs.is_progress_bar_enabled()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("no such file"), "a model cannot be loaded (no such file)"),
        (KeyError("width"), "a model cannot be loaded ('width')"),
        (ValueError("\n one \n\n two\nthree"), "a model cannot be loaded (one two)"),
        (RuntimeError(), "a model cannot be loaded (RuntimeError)"),
        (RuntimeError(" \n"), "a model cannot be loaded (RuntimeError)"),
        (TypeError("x" * 301), f"a model cannot be loaded ({'x' * 300})"),
        (InputError("ours"), "ours"),
    ],
)
def test_every_error_is_one_line_that_says_what_was_loaded(error, message, verbosity):
    with pytest.raises(InputError) as caught, loading("a model"):
        raise error
    assert str(caught.value) == message
    assert verbosity() == logging.INFO


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MissingExtraError("a thing", "hf")])
def test_what_is_no_failure_to_load_stays_itself(error, verbosity):
    with pytest.raises(type(error)) as caught, loading("a model"):
        raise error
    assert caught.value is error
    assert verbosity() == logging.INFO
