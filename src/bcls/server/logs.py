"""The server's log: one JSON object a line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """Writes a record as JSON: time, level, event, and whatever was given as `extra`.

    Example:
        >>> record = logging.makeLogRecord({"msg": "request", "levelname": "INFO", "status": 200, "created": 0})
        >>> print(JsonLines().format(record))
        {"time": "1970-01-01T00:00:00.000Z", "level": "info", "event": "request", "status": 200}
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= {name: value for name, value in vars(record).items() if name not in PLAIN}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
