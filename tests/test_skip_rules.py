"""A skip for a reason that is not allowed fails a session; an allowed one is listed and passes."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from skip_rules import ALLOWED, is_allowed

TESTS = Path(__file__).resolve().parent
GUARD = """
import pytest
from skip_rules import SkipGuard

def pytest_configure(config):
    config.pluginmanager.register(SkipGuard())
"""
PASSES = "def test_passes():\n    assert True\n"
MODULE = "import pytest\npytest.importorskip('no_such_package')\n" + PASSES
FIXTURE = """
import pytest
@pytest.fixture
def data():
    pytest.skip("not today")
def test_uses_it(data):
    assert data
"""
MARK = "import pytest\n@pytest.mark.skipif(True, reason='{}')\ndef test_marked():\n    assert False\n"
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_fails():\n    assert False\n"


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-c", "/dev/null", "."]
    path = {"PYTHONPATH": str(TESTS), "PATH": "/usr/bin:/bin"}
    return subprocess.run([*command, *words], cwd=folder, env=path, capture_output=True, text=True, check=False)


@pytest.fixture
def session(tmp_path):
    """Runs pytest with the guard on a folder of one test file."""

    def run_on(code: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_text(GUARD)
        (tmp_path / "test_it.py").write_text(code)
        return run(tmp_path)

    return run_on


@pytest.mark.parametrize(
    ("code", "listed"),
    [
        (MODULE, "test_it.py: could not import 'no_such_package': No module named 'no_such_package'"),
        (PASSES + FIXTURE, "test_it.py::test_uses_it: not today"),
        (PASSES + MARK.format("too slow"), "test_it.py::test_marked: too slow"),
        (PASSES + MARK.format("no GPU of the kind that I like"), "test_it.py::test_marked: no GPU of the kind"),
    ],
    ids=["module", "fixture", "mark", "only a part of an allowed reason"],
)
def test_other_reasons_fail_the_session_and_are_listed(session, code, listed):
    done = session(code)
    assert done.returncode == 1, done.stdout
    assert "skipped for a reason that is not allowed" in done.stdout
    assert listed in done.stdout


@pytest.mark.parametrize("reason", ["no GPU", "Chromium is not installed"])
def test_allowed_reasons_pass_and_are_shown(session, reason):
    done = session(PASSES + MARK.format(reason))
    assert done.returncode == 0, done.stdout
    assert reason in done.stdout
    assert "not allowed" not in done.stdout


def test_an_expected_failure_is_no_skip(session):
    assert session(PASSES + EXPECTED_FAILURE).returncode == 0


def test_a_failure_stays_a_failure(session):
    done = session(PASSES + MARK.format("too slow") + "def test_broken():\n    assert False\n")
    assert done.returncode == 1
    assert "1 failed" in done.stdout


def test_this_suite_is_guarded(pytestconfig):
    guarded = pytestconfig.pluginmanager.has_plugin("skip-guard")
    assert guarded != pytestconfig.getoption("allow_skips")


@pytest.mark.parametrize("extra", ["numba", "fastapi", "lancedb", "onnxruntime", "transformers"])
def test_no_package_of_the_dev_extra_may_be_missing(extra):
    assert not is_allowed(f"could not import {extra!r}: No module named {extra!r}")
    assert not is_allowed(f"{extra} is not installed")


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_triton_may_be_missing_where_there_is_none(system, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    rules = runpy.run_path(str(TESTS / "skip_rules.py"))
    assert rules["is_allowed"]("triton is not installed") == (system != "linux")


def test_every_allowed_reason_occurs_in_the_tests():
    """A reason that no test gives any more is taken off the list."""
    sources = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py") if path.name != "skip_rules.py")
    for reason in ALLOWED:
        plain = reason.replace("\\", "").removesuffix(".*").strip()
        assert plain in sources, reason
