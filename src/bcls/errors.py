"""Errors that a person can act on: what is wrong, where, and what to do."""

from __future__ import annotations


class BCLSError(Exception):
    """Base of every error that this package raises on purpose.

    The command line prints its message as one line and exits with `exit_code`.
    """

    exit_code = 1


class InputError(BCLSError, ValueError):
    """What was given (a file, a setting, a matrix) cannot be used as it is.

    Also a `ValueError`, so that callers who know nothing of this package catch it as usual.
    """

    exit_code = 2


class UnreadableImageError(InputError):
    """An image file is missing, damaged or not an image."""


class MissingExtraError(BCLSError, ImportError):
    """A feature needs an optional dependency that is not installed.

    Args:
        feature: what was asked for, as a person would name it.
        extra: the extra of this package that brings the dependency.

    Example:
        >>> raise MissingExtraError("the sentence scorer", "text")
        Traceback (most recent call last):
        bcls.errors.MissingExtraError: the sentence scorer needs an extra: pip install 'bcls[text]'
    """

    exit_code = 2

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an extra: pip install 'bcls[{extra}]'")
