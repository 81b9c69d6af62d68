"""`bcls demo`: the whole way on made pictures."""

from __future__ import annotations

from pathlib import Path

from bcls.cli.arguments import parse_words, require_training

DESCRIPTION = """Make pictures with captions, train three losses on them from pixels, judge them by the true
relevance, and write a report. Needs no data and no network.

example: bcls demo --output demo"""


def run(words: list[str]) -> int:
    """Run the demo and print its table."""
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls demo", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("--output", type=str, default="demo", help="folder of everything")
    parser.add_argument("--seed", type=int, default=0, help="of pictures and training")
    parser.add_argument("--epochs", type=int, default=9, help="of each of the three runs")
    given = parse_words(parser, words)
    require_training("bcls demo")
    from bcls.demo.losses import COLUMNS, demo  # noqa: PLC0415
    from bcls.evaluation import text_table  # noqa: PLC0415

    result = demo(Path(given["output"]), seed=given["seed"], epochs=given["epochs"])
    print("\nval, against the true relevance of the scenes:\n")
    print(text_table(result.metrics, list(COLUMNS.values())))
    print(f"\nreport: {result.report}   ({result.seconds:.0f} s)")
    return 0
