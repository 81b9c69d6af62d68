"""What an error of an index is beside its name: who catches it, and with which exit code a command ends."""

from __future__ import annotations

import pickle

import pytest

import bcls.search
from bcls.cli import _call
from bcls.errors import BCLSError, InputError
from bcls.search.errors import EngineUnavailableError, IndexDamagedError, IndexMissingError, WriteFailedError

EVERY = {
    EngineUnavailableError: (BCLSError, 1),
    WriteFailedError: (BCLSError, 1),
    IndexMissingError: (InputError, 2),
    IndexDamagedError: (InputError, 2),
}


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_wrong_with_what_was_given_is_told_from_what_may_pass(kind):
    base, code = EVERY[kind]
    assert kind.__mro__[1] is base
    assert issubclass(kind, ValueError) == (base is InputError)
    assert kind("x").exit_code == code


@pytest.mark.parametrize("kind", EVERY)
def test_none_is_caught_as_another(kind):
    others = tuple(other for other in EVERY if other is not kind)
    assert not issubclass(kind, others)


@pytest.mark.parametrize("kind", EVERY)
def test_comes_whole_out_of_another_process(kind):
    again = pickle.loads(pickle.dumps(kind("disk: full")))
    assert (type(again), str(again)) == (kind, "disk: full")


@pytest.mark.parametrize("kind", EVERY)
def test_a_command_ends_with_its_code_and_one_line(kind, monkeypatch, capsys):
    class Verb:
        @staticmethod
        def run(words):
            raise kind(f"{words[0]}: gone")

    monkeypatch.setattr("importlib.import_module", lambda name: Verb)
    assert _call("search", ["place"], debug=False) == EVERY[kind][1]
    assert capsys.readouterr().err == "bcls: error: place: gone\n"


@pytest.mark.parametrize("kind", EVERY)
def test_is_had_from_the_room_itself(kind):
    assert getattr(bcls.search, kind.__name__) is kind
    assert kind.__name__ in bcls.search.__all__
