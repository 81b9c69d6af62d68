"""`bcls VERB`: finds the verb, runs it, and turns errors into one clear line and an exit code.

A verb's module is imported only when the verb is called, so that `bcls --help` answers at once.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence

from bcls.cli.terminal import OutputFailedError, VisibleFormatter, discard_output, safe_output, visible

VERBS = {
    "demo": "draw pictures, train three losses on them, report (4 minutes)",
    "data": "check a data set, show what is in it, convert it, or make scenes",
    "label": "encode captions with a scorer, or audit scorers against people",
    "features": "pictures into features, by a pretrained encoder",
    "train": "train a model from a YAML config",
    "evaluate": "judge a trained model, or anybody's embeddings, on a data set",
    "study": "train many variants with many seeds, and say what differs",
    "compare": "tell which model is better, how surely, and for which queries",
    "export": "a trained model as ONNX files, checked and quantized",
    "embed": "images and captions into embeddings, by a trained model",
    "index": "embeddings into an index: LanceDB, memory or Milvus",
    "search": "find images by words, or images and captions by an image",
    "serve": "search over HTTP, with a page for people",
}

HELP = """\
usage: bcls VERB [options]        (bcls VERB --help tells a verb's options)

Trains and judges image-text retrieval models with binary and continuous labels.

verbs:
{verbs}

options, before or after the verb:
  --debug      show the traceback of an error
  --quiet      say nothing but results and errors
  --version    print the version
  --help       print this

example:
  bcls demo --output demo
  bcls train --config configs/flickr8k/bcls.yaml --output runs/bcls
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        words: the words behind `bcls`; None = those of this process.

    Returns:
        The exit code: 0 = done, 1 = failed, 2 = a wrong command or unusable input, 130 = interrupted.
    """
    try:
        with safe_output():
            code = _answer(list(sys.argv[1:] if words is None else words))
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has gone, as `head` does
        discard_output()
        return 0
    except OutputFailedError as error:
        discard_output()
        return _refuse(str(error), error.exit_code)
    return code


def _answer(rest: list[str]) -> int:
    debug, quiet = _take(rest, "--debug"), _take(rest, "--quiet")
    if not rest or rest[0] in {"--help", "-h", "help"}:
        print(HELP.format(verbs="\n".join(f"  {verb:<12} {what}" for verb, what in VERBS.items())), end="")
        return 0 if rest else 2
    if rest[0] == "--version":
        from bcls import __version__  # noqa: PLC0415

        print(f"bcls {__version__}")
        return 0
    if rest[0] not in VERBS:
        return _refuse(f"no verb {rest[0]!r}; there are: {', '.join(VERBS)} (bcls --help)")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(VisibleFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("bcls").setLevel(logging.WARNING if quiet else logging.INFO)
    return _call(rest[0], rest[1:], debug=debug)


def _call(verb: str, words: list[str], *, debug: bool) -> int:
    from bcls.errors import BCLSError  # noqa: PLC0415

    try:
        code = importlib.import_module(f"bcls.cli.{verb}").run(words)
    except KeyboardInterrupt:
        print("bcls: interrupted", file=sys.stderr)
        return 130
    except SystemExit as stop:  # the parser has printed its help
        return int(stop.code or 0)
    except (BrokenPipeError, OutputFailedError):
        raise
    except BCLSError as error:
        if debug:
            raise
        return _refuse(str(error), error.exit_code)
    except OSError as error:
        if debug:
            raise
        place = error.filename2 or error.filename
        reason = error.strerror if place is None else f"{place}: {error.strerror}"
        return _refuse(reason or f"{type(error).__name__}: {error} (--debug shows where)", 2 if place else 1)
    except Exception as error:
        if debug:
            raise
        return _refuse(f"{type(error).__name__}: {error} (--debug shows where)", 1)
    return int(code)


def _take(words: list[str], option: str) -> bool:
    found = option in words
    if found:
        words.remove(option)
    return found


def _refuse(message: str, code: int = 2) -> int:
    print(visible(f"bcls: error: {message}"), file=sys.stderr)
    return code
