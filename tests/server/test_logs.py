"""The log as JSON, a line each."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from bcls.server.logs import JsonLines


def line(**about):
    given = {"msg": "request", "levelname": "INFO", "created": 1_700_000_000.25} | about
    text = JsonLines().format(logging.makeLogRecord(given))
    assert "\n" not in text
    return json.loads(text)


def test_a_record_is_its_time_level_and_event():
    assert line() == {"time": "2023-11-14T22:13:20.250Z", "level": "info", "event": "request"}


def test_what_was_given_beside_follows_in_its_own_kind():
    told = line(status=200, seconds=0.5, path="/é", client=None, parts=["a"])
    assert list(told)[3:] == ["status", "seconds", "path", "client", "parts"]
    assert (told["status"], told["seconds"], told["path"], told["client"], told["parts"]) == (
        200,
        0.5,
        "/é",
        None,
        ["a"],
    )


def test_what_json_does_not_know_becomes_text():
    assert line(file=Path("/a/b"))["file"] == "/a/b"


def test_arguments_are_put_into_the_event_and_stay_on_one_line():
    assert line(msg="%d of %s\nmore", args=(3, "x"))["event"] == "3 of x\nmore"


def test_an_error_brings_its_traceback():
    try:
        raise ValueError("told\nin two lines")
    except ValueError:
        told = line(levelname="ERROR", exc_info=sys.exc_info())
    assert told["level"] == "error"
    assert told["traceback"].startswith("Traceback (most recent call last):")
    assert told["traceback"].endswith("ValueError: told\nin two lines")


def test_colours_for_a_terminal_are_left_out():
    assert "color_message" not in line(color_message="\x1b[1mrequest")


def test_through_a_logger(caplog):
    log = logging.getLogger("bcls.test")
    with caplog.at_level(logging.WARNING, "bcls.test"):
        log.warning("slow", extra={"seconds": 3})
    told = json.loads(JsonLines().format(caplog.records[0]))
    assert {"level": "warning", "event": "slow", "seconds": 3}.items() <= told.items()
    assert told.keys() == {"time", "level", "event", "seconds"}
