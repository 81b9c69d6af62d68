"""`bcls data`: check, show, convert a data set, or make scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bcls.cli.arguments import parse_words
from bcls.cli.terminal import one_line
from bcls.errors import InputError
from bcls.progress import counted

if TYPE_CHECKING:
    from bcls.data import RetrievalDataset

HELP = """\
usage: bcls data ACTION [options]        (bcls data ACTION --help tells an action's options)

actions:
  check PATH           list everything that is wrong: broken pictures, empty captions, duplicate ids, missing features
  show PATH            what is in a data set: splits, counts, features, an example
  convert PATH OUTPUT  write any known format as a dataset folder (records; pictures and features stay where they are);
                       webdataset shards (a .tar file, or a folder of them) are unpacked with their pictures
  scenes OUTPUT        make pictures with captions whose true relevance is known

PATH is a dataset folder, a Karpathy JSON file, a precomp folder, or pictures with a table of captions.

example:
  bcls data check ../shared/data/flickr8k
"""
SHOWN = 200


def run(words: list[str]) -> int:
    """Run one action."""
    actions: dict[str, Callable[[list[str]], int]] = {
        "check": _check,
        "show": _show,
        "convert": _convert,
        "scenes": _scenes,
    }
    if not words or words[0] in {"--help", "-h"}:
        print(HELP, end="")
        return 0 if words else 2
    if words[0] not in actions:
        raise InputError(f"bcls data: no action {words[0]!r}; there are: {', '.join(actions)}")
    return actions[words[0]](words[1:])


def _check(words: list[str]) -> int:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls data check", exit_on_error=False)
    parser.add_argument("path", type=str, help="the data set")
    parser.add_argument("--splits", type=list[str] | None, default=None, help="only these splits, e.g. [val]")
    parser.add_argument("--pictures", type=bool, default=True, help="open every picture file")
    given = parse_words(parser, words)
    from bcls.data import check_dataset, read_dataset  # noqa: PLC0415
    from bcls.data.unlisted_images import unlisted_images  # noqa: PLC0415

    dataset = read_dataset(given["path"])
    if given["splits"]:
        dataset = dataset.split(given["splits"])
    problems = check_dataset(dataset, pictures=given["pictures"])
    if given["pictures"] and not given["splits"]:
        problems += unlisted_images(dataset)
    for problem in problems[:SHOWN]:
        print(one_line(("" if problem.fatal else "warning: ") + str(problem)))
    if len(problems) > SHOWN:
        print(f"... and {len(problems) - SHOWN} more")
    counts = Counter(problem.kind for problem in problems)
    summary = ", ".join(f"{kind}: {count}" for kind, count in counts.items()) or "no problems"
    print(f"{_size(dataset)}: {summary}")
    return 1 if any(problem.fatal for problem in problems) else 0


def _show(words: list[str]) -> int:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls data show", exit_on_error=False)
    parser.add_argument("path", type=str, help="the data set")
    given = parse_words(parser, words)
    from bcls.data import read_dataset  # noqa: PLC0415

    dataset = read_dataset(given["path"])
    print(f"{dataset.name}: {_size(dataset)}")
    for split, count in dataset.splits.items():
        part = dataset.split(split)
        print(f"  split {split:<10} {count:>8} images {len(part.caption_ids):>9} captions")
    print(f"  pictures         {dataset.image_folder or 'none'}")
    for name, store in dataset.features.items():
        print(f"  features {name:<12} {store.shape} {store.dtype}")
    if dataset.images:
        image = dataset.images[0]
        print(one_line(f"  example {image.id}:"))
        for caption in image.captions[:5]:
            print(one_line(f"    {caption.id}: {caption.text}"))
    return 0


def _convert(words: list[str]) -> int:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls data convert", exit_on_error=False)
    parser.add_argument("path", type=str, help="the data set")
    parser.add_argument("output", type=str, help="the new dataset folder")
    given = parse_words(parser, words)
    from bcls.data import read_dataset, shards_of, unpack_webdataset, write_dataset  # noqa: PLC0415

    output = Path(given["output"])
    for name in ("dataset.json", "images.jsonl"):
        if (output / name).exists():
            raise InputError(f"{output}: holds a data set already ({name}); choose another folder")
    if shards_of(given["path"]):
        dataset = unpack_webdataset(given["path"], output)
        print(f"{_size(dataset)} unpacked to {output}")
        print(f"see what is wrong with them, if anything: bcls data check {output}")
        return 0
    dataset = read_dataset(given["path"])
    write_dataset(output, dataset)
    print(f"{_size(dataset)} written to {output}")
    print(f"put (or link) pictures into {output / 'images'} and features into {output / 'features'}")
    return 0


def _scenes(words: list[str]) -> int:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls data scenes", exit_on_error=False)
    parser.add_argument("output", type=str, help="the new dataset folder")
    parser.add_argument("--splits", type=dict[str, int], default={"train": 1200, "val": 300}, help="pictures in each")
    parser.add_argument("--captions", type=int, default=5, help="captions of each picture")
    parser.add_argument("--size", type=int, default=64, help="side of a picture in pixels")
    parser.add_argument("--seed", type=int, default=0, help="of all randomness")
    given = parse_words(parser, words)
    from bcls.data.scenes import make_scenes  # noqa: PLC0415

    dataset = make_scenes(
        given["output"],
        splits=dict(given["splits"]),
        captions_per_image=given["captions"],
        size=given["size"],
        seed=given["seed"],
    )
    print(f"{_size(dataset)} in {given['output']}")
    return 0


def _size(dataset: RetrievalDataset) -> str:
    return f"{counted(len(dataset.images), 'image')}, {counted(len(dataset.caption_ids), 'caption')}"
