"""Settings of a server: which are taken, and what is never printed."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields

import pytest

from bcls.errors import InputError
from bcls.server.settings import LOCAL_HOSTS, ServerSettings

NUMBERS = [one.name for one in fields(ServerSettings) if isinstance(one.default, int | float)]
KEY = "0123456789abcdef"


def test_by_default_everybody_on_this_machine_may_look_and_nobody_may_write():
    settings = ServerSettings()
    assert (settings.write_key, settings.read_key, settings.cors_origins) == (None, None, ())
    assert settings.allowed_hosts == LOCAL_HOSTS


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_a_limit_that_lets_nothing_through_is_refused(name, value):
    with pytest.raises(InputError, match=rf"^server: {name} is {value}; it must be above 0$"):
        ServerSettings(**{name: value})


def test_there_are_limits_of_every_kind():
    assert len(NUMBERS) == 12
    assert ServerSettings(request_seconds=0.01, max_k=1).request_seconds == 0.01


@pytest.mark.parametrize("name", ["write_key", "read_key"])
@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + " ", "a b" * 6, KEY + "é", KEY + "\n", KEY + "\t", KEY + "\x7f"])
def test_a_key_that_is_short_or_cannot_be_sent_is_refused_without_being_told(name, key):
    with pytest.raises(
        InputError, match=f"^server: {name} must have at least 16 printable ASCII characters"
    ) as refusal:
        ServerSettings(**{name: key})
    assert not key or key not in str(refusal.value)


def test_keys_are_not_printed():
    settings = ServerSettings(write_key=KEY, read_key=KEY[::-1])
    assert (settings.write_key, settings.read_key) == (KEY, KEY[::-1])
    assert KEY not in repr(settings)
    assert KEY[::-1] not in repr(settings)


def test_settings_stay_as_they_were_checked():
    with pytest.raises(FrozenInstanceError):
        ServerSettings().max_k = 0
