"""`bcls train`: one run from a YAML config."""

from __future__ import annotations

from bcls.cli.arguments import require_training, underscored

DESCRIPTION = """Train a model from a YAML config; any field can be overridden by its dotted name.

example: bcls train --config configs/flickr8k/bcls.yaml --output runs/bcls --loss.kendall_weight 0.5"""


def run(words: list[str]) -> int:
    """Parse the config, train, print the result."""
    require_training("bcls train")
    from bcls.evaluation import text_table  # noqa: PLC0415
    from bcls.training import config_parser, parse_config, train  # noqa: PLC0415

    parser = config_parser("bcls train", DESCRIPTION)
    parser.add_argument("--resume", type=bool, default=False, help="go on with an interrupted run")
    config, text, rest = parse_config(parser, underscored(words), extra=["resume"])
    result = train(config, text, resume=rest["resume"])
    print(text_table({result.folder.name: result.metrics}))
    print(f"best epoch {result.best_epoch}; model, result and history in {result.folder}")
    return 0
