"""`bcls label`: encode a split's captions with a scorer; `bcls label audit`: how far to trust one."""

from __future__ import annotations

from pathlib import Path

from bcls.cli.arguments import parse_words, scorer_from

DESCRIPTION = """Encode the captions of a data set with a scorer: the continuous labels of training and evaluation.

`bcls label audit` tells how far a scorer can be trusted (a data set in a folder of that name is ./audit).

example: bcls label ../shared/data/flickr8k --scorer sentence --output runs/labels"""


def run(words: list[str]) -> int:
    """Encode each asked split that has no encodings yet, or audit."""
    if words[:1] == ["audit"]:
        from bcls.cli.label_audit import run as audit  # noqa: PLC0415

        return audit(words[1:])
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls label", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("data", type=str, help="a data set: folder, Karpathy JSON, precomp folder")
    parser.add_argument("--scorer", type=str, default="sentence", help="sentence, sentence:MODEL, tfidf or cider")
    parser.add_argument("--splits", type=list[str], default=["train", "val"], help="which splits")
    parser.add_argument("--fit_split", type=str, default="train", help="where document frequencies come from")
    parser.add_argument("--output", type=str, default="runs/labels", help="folder of the encodings")
    parser.add_argument("--overwrite", type=bool, default=False, help="encode again what is there")
    given = parse_words(parser, words)
    from bcls.data import read_dataset  # noqa: PLC0415
    from bcls.data.labels import label_folder, label_split  # noqa: PLC0415
    from bcls.progress import counted  # noqa: PLC0415

    dataset = read_dataset(given["data"])
    scorer = scorer_from(given["scorer"])
    output, fit_split = Path(given["output"]), given["fit_split"]
    folders = {split: label_folder(output, scorer, dataset, split, fit_split=fit_split) for split in given["splits"]}
    for split, folder in folders.items():
        label_split(dataset, split, scorer, output, fit_split=fit_split, overwrite=given["overwrite"])
        captions = counted(len(dataset.split(split).caption_texts), "caption")
        print(f"{split}: {captions} encoded by {scorer.name} in {folder if folder.exists() else folder.parent / split}")
    return 0
