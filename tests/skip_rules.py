"""The reasons for which a test may be skipped: a skip for any other reason fails the session.

`make test` installs everything that the tests use, so a test that is skipped there for lack of a package is a test that
nobody runs. Where only some extras are installed, `pytest --allow-skips` lets everything be skipped.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

ALLOWED = {
    r"no GPU": "the machine has no GPU that torch can use",
    r"Chromium is not installed": "see CONTRIBUTING.md",
    r"the Flickr8k data is not at \.\./shared/data/flickr8k": "data that cannot be redistributed",
    r"the human ratings are not at \.\./shared/data/cxc/sts_human\.csv": "data that cannot be redistributed",
    r"there is no \.\./shared/data beside this checkout": "data that cannot be redistributed",
    r"open_clip needs torchvision, and so an environment of its own: make test-open-clip": "make test-open-clip",
    r"there is no `unshare` on this machine": "only Linux has it",
    r"a small disk cannot be mounted here: .*": "containers without user namespaces",
    r"this system has no fork": "Windows",
}
"""Regular expressions of whole reasons, and why each is allowed."""

if sys.platform != "linux":
    ALLOWED["triton is not installed"] = "there is no triton for this system, and so none in the extra dev"


def is_allowed(reason: str) -> bool:
    """Whether a test may be skipped for this reason.

    Example:
        >>> is_allowed("no GPU"), is_allowed("could not import 'numba': No module named 'numba'")
        (True, False)
    """
    return any(re.fullmatch(allowed, reason, re.DOTALL) for allowed in ALLOWED)


class SkipGuard:
    """Collects the reasons of skips, and fails the session where one is not allowed."""

    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that was skipped by a mark, by a fixture or by itself."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._look_at(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that was skipped as a whole."""
        if report.skipped:
            self._look_at(report.nodeid, report.longrepr)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A session that would have passed fails."""
        if self.refused and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What was skipped against the rules, and what to do."""
        if not self.refused:
            return
        terminalreporter.section("skipped for a reason that is not allowed", red=True, bold=True)
        for place, reason in self.refused:
            terminalreporter.line(f"{place}: {reason}")
        terminalreporter.line(
            "Install what is missing (`make test` does), or run pytest with --allow-skips. "
            "The allowed reasons are in tests/skip_rules.py."
        )

    def _look_at(self, place: str, longrepr: Any) -> None:
        reason = str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix("Skipped: ")
        if not is_allowed(reason):
            self.refused.append((place, reason))
