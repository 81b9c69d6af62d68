"""From command-line words and YAML to a `RunConfig`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import torch
import yaml
from jsonargparse import ArgumentError, ArgumentParser, Namespace

from bcls.errors import InputError
from bcls.training.config import RunConfig


def config_parser(program: str, description: str) -> ArgumentParser:
    """The parser of a run's config: `--config FILE` and one dotted option for every field."""
    parser = ArgumentParser(prog=program, description=description, exit_on_error=False)
    parser.add_argument("--config", action="config", help="YAML file of the run")
    parser.add_class_arguments(RunConfig)
    for action in parser._actions:  # jsonargparse removes a space by a backspace, which logs and pages show
        if action.metavar == "\b[=flags]":
            action.metavar = "[=FLAGS]"
    return parser


def parse_config(
    parser: ArgumentParser, words: Sequence[str], extra: Sequence[str] = ()
) -> tuple[RunConfig, str, dict[str, Any]]:
    """Parse words and make the config's towers, loss and scorers.

    Args:
        parser: of `config_parser`, perhaps with options of its own.
        words: command-line words.
        extra: names of the parser's own options, which are no part of the config.

    Returns:
        The config, its YAML text with defaults, and the values of the extra options.

    Raises:
        InputError: anything that the parser refuses; its message names the option.
    """
    try:
        parsed = parser.parse_args(list(words))
        rest = {name: parsed.pop(name) for name in extra}
        text = config_text(parser, parsed)
    except ArgumentError as error:
        raise InputError(" ".join(str(error).split())) from None
    except UnicodeDecodeError:
        raise InputError("a config file is not UTF-8 text") from None
    except InputError:
        raise
    except Exception as error:  # YAML raises nearly every kind: dates, numbers and nests that cannot be
        raise InputError(f"the config cannot be read ({type(error).__name__}: {error})") from None
    torch.manual_seed(parsed["seed"])  # some towers draw their first weights when they are made
    try:
        made = parser.instantiate_classes(parsed)
    except ArgumentError as error:
        raise InputError(" ".join(str(error).split())) from None
    fields = {name: made[name] for name in RunConfig.__dataclass_fields__}
    return RunConfig(**fields), text, rest


def config_of_text(text: str) -> RunConfig:
    """The config of a YAML text of `config_text`, with its towers, loss and scorers made.

    Raises:
        InputError: anything that the parser refuses.
    """
    parser = config_parser("bcls train", "")
    try:
        parsed = parser.parse_string(text)
        torch.manual_seed(parsed["seed"])
        made = parser.instantiate_classes(parsed)
    except ArgumentError as error:
        raise InputError(" ".join(str(error).split())) from None
    return RunConfig(**{name: made[name] for name in RunConfig.__dataclass_fields__})


def config_text(parser: ArgumentParser, parsed: Namespace) -> str:
    """The YAML text of a parsed run, defaults included; parsed again it gives the same text.

    Args:
        parser: of `config_parser`.
        parsed: what it returned; its `config`, the names of files, is taken out.
    """
    parsed.pop("config", None)
    fields = json.loads(parser.dump(parsed, skip_none=False, skip_validation=True, format="json"))
    return yaml.dump(_without_empty(fields), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes the names that the parser would take for numbers, such as `1e3`."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _without_empty(value: Any) -> Any:
    """Without empty `init_args`, which the parser keeps after an override but not when it reads the text again."""
    if not isinstance(value, dict):
        return value
    kept = {name: _without_empty(part) for name, part in value.items()}
    return {name: part for name, part in kept.items() if name != "init_args" or part != {}}
