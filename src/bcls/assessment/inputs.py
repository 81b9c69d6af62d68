"""From a data set's path to what evaluation and training read: a checked data set, and its images."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from bcls.data import RetrievalDataset, check_dataset, read_dataset, refuse_problems
from bcls.data.images import FeatureImages, ImageSource, PictureImages
from bcls.errors import InputError
from bcls.models import ImageTower, RetrievalModel

PLACE = "features/NAME/ beside the data holds .npy files and ids.json, see docs/data.md"


def open_splits(
    path: str,
    splits: Sequence[str],
    features: str | None,
    dataset: RetrievalDataset | None = None,
    *,
    images: bool = True,
) -> RetrievalDataset:
    """Read a whole data set and refuse it where these splits have problems.

    Args:
        path: of the data set.
        splits: those that will be used.
        features: the features that will be used; None = the pictures.
        dataset: what is at the path, where it has been read already.
        images: whether features or images will be used; otherwise only the captions are checked.

    Raises:
        InputError: unknown split or features, or problems; names the command that lists them all.
    """
    dataset = read_dataset(path) if dataset is None else dataset
    if features is None:
        if images:
            require_images(dataset)
    elif features not in dataset.features:
        known = ", ".join(sorted(dataset.features)) or "none"
        raise InputError(f"{path}: no features {features!r}; there are: {known} ({PLACE})")
    names = [] if features is None else [features]
    problems = check_dataset(dataset.split(splits), pictures=images and features is None, features=names)
    refuse_problems(problems, f"bcls data check {quote(str(path))}")
    return dataset


def image_source(
    dataset: RetrievalDataset, features: str | None, model: RetrievalModel, workers: int = 2
) -> ImageSource:
    """The images of a split, as the model's image tower takes them.

    Args:
        dataset: the split.
        features: the features' name; None = pictures.
        model: whose image tower.
        workers: threads that read pictures.

    Raises:
        InputError: the tower takes pictures and features were named, or the other way round, or the features are those
            of another encoder.
    """
    require_image_source(dataset, features, model.image_tower)
    if features is not None:
        return FeatureImages(dataset.features[features], dataset.feature_rows(features))
    prepare = getattr(model.image_tower, "prepare")  # noqa: B009 - of the towers that take pictures
    paths = [dataset.image_path(row) for row in range(len(dataset.images))]
    return PictureImages(paths, prepare, threads=workers)


def require_image_source(dataset: RetrievalDataset, features: str | None, tower: ImageTower) -> None:
    """Refuse features that are not there or not what the image tower takes, and images where there are none.

    Raises:
        InputError: names the features that there are, and the field to set.
    """
    known = ", ".join(sorted(dataset.features)) or "none"
    name = type(tower).__name__
    if features is None:
        require_images(dataset)
        if getattr(tower, "prepare", None) is None:
            raise InputError(
                f"{name} takes features, not pictures: set data.features to one of "
                f"{known if dataset.features else '(the data set has none)'}"
            )
        return
    if features not in dataset.features:
        raise InputError(f"{dataset.name}: no features {features!r}; there are: {known} ({PLACE})")
    if not tower.takes_features:
        raise InputError(f"{name} takes pictures: set data.features to null")
    store = dataset.features[features]
    axes = tower.feature_axes
    if axes is not None and len(store.shape) != axes:
        expected = "(images, dim)" if axes == 2 else "(images, regions, dim)"
        fitting = sorted(other for other, one in dataset.features.items() if len(one.shape) == axes)
        raise InputError(
            f"{name} takes features of shape {expected}, but data.features: {features} is {store.shape}: "
            f"{'choose ' + ' or '.join(fitting) if fitting else 'choose another image tower'}"
        )
    if tower.fitted() is not None:  # before it is fitted, a pretrained tower has not opened its encoder
        tower.require_features(store.about)


def require_images(dataset: RetrievalDataset) -> None:
    """Refuse a data set of features alone where images are to be opened.

    Raises:
        InputError: names the features that there are, and the setting that takes them.
    """
    if dataset.image_folder is None and dataset.features:
        names = sorted(dataset.features)
        raise InputError(
            f"{dataset.name}: the data set has no images to open, only features: set data.features in the config to "
            f"{'one of ' if len(names) > 1 else ''}{', '.join(names)} (--data.features {names[0]} for training, "
            f"--features {names[0]} for evaluate, compare and export)"
        )
