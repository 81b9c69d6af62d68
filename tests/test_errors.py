"""What each error is caught as, and with what a command ends."""

from __future__ import annotations

import pytest

from bcls.errors import BCLSError, InputError, MissingExtraError


@pytest.mark.parametrize(
    ("error", "caught_as", "exit_code"),
    [
        (BCLSError("broken"), Exception, 1),
        (InputError("broken"), ValueError, 2),
        (MissingExtraError("search on disk", "search"), ImportError, 2),
    ],
)
def test_an_error_is_caught_by_who_knows_nothing_of_this_package(error, caught_as, exit_code):
    with pytest.raises(caught_as):
        raise error
    assert isinstance(error, BCLSError)
    assert error.exit_code == exit_code


def test_a_missing_extra_says_what_to_install():
    assert str(MissingExtraError("search on disk", "search")) == (
        "search on disk needs an extra: pip install 'bcls[search]'"
    )
