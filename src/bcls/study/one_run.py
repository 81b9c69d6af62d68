"""The process of one run of a study: `python -m bcls.study.one_run CONFIG`.

It lives as long as its standard input is open, so that no run goes on when the study has ended in whatever way.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

from bcls.errors import BCLSError
from bcls.training.config import load_config
from bcls.training.run import train


def main(config: str) -> int:
    """Train from a YAML file, going on from where an earlier process came to.

    Returns:
        The exit code; a refusal is one line on standard error.
    """
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("bcls").setLevel(logging.INFO)
    try:
        train(*load_config(["--config", config]), resume=True)
    except BCLSError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _end_with_the_study() -> None:
    """Files are replaced whole, and a run is resumed from its last checkpoint: it may end anywhere."""
    while os.read(0, 1):  # not sys.stdin, whose lock this thread would still hold when Python ends
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
