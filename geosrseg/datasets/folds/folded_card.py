"""FoldedCard: a dataset with the split of one fold of a cross-validation.

Images stay together if they show common ground, are the same file, or have one `group` in the
card: a score on ground that trained means nothing. Test images test in every fold.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import CardScene
from geosrseg.datasets.check.common_ground import find_overlaps, ground_of_scene
from geosrseg.datasets.check.links import joined, links_by_value
from geosrseg.datasets.folds.fold import Fold
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import open_scenes
from geosrseg.errors import DatasetError
from geosrseg.regular_file import hash_file


def fold_card(card: DatasetCard, fold: Fold) -> DatasetCard:
    """Return the dataset with the split of a fold; without one, the dataset itself.

    Raises:
        DatasetError: the dataset has fewer groups than folds, or splits within an image, or a
            file cannot be read.
    """
    if fold.folds is None or fold.fold is None:
        return card
    pooled = _pooled(card)
    groups = _groups(card, pooled)
    if len(groups) < fold.folds:
        raise DatasetError(
            f"`folds` {fold.folds}: the {len(pooled)} images of {card.name} that do not test make "
            f"{len(groups)} groups without common ground, expected {fold.folds} or more: use "
            "fewer folds, or more images"
        )
    part = _parts([pixels for _, pixels in groups], fold.folds)
    splits = {
        index: "validation" if number == fold.fold - 1 else "train"
        for (members, _), number in zip(groups, part, strict=True)
        for index in members
    }
    scenes = tuple(
        replace(scene, split=splits.get(index, scene.split))
        for index, scene in enumerate(card.scenes)
    )
    return replace(card, scenes=scenes, fold=(fold.fold, fold.folds))


def _pooled(card: DatasetCard) -> list[int]:
    """Return the indices of scenes that train or validate."""
    if card.sources:
        raise DatasetError(
            f"`folds`: {card.name} has [[sources]], whose tables give each image its split; "
            "expected [[scenes]]"
        )
    for scene in card.scenes:
        if isinstance(scene.split, Path):
            raise DatasetError(
                f"`folds`: {scene.image} is split by {scene.split.name}, expected images that are "
                "wholly in one split"
            )
    return [index for index, scene in enumerate(card.scenes) if scene.split != "test"]


def _groups(card: DatasetCard, pooled: Sequence[int]) -> list[tuple[list[int], int]]:
    """Return groups of scenes with their pixels, in the order of their first scene."""
    with open_scenes(card, card.bare_normalization()) as scenes:
        chosen = [scenes[index] for index in pooled]
        group = joined(_links(card, pooled, chosen), len(pooled))
        sizes = [scene.split.used.height * scene.split.used.width for scene in chosen]
    groups: dict[int, list[int]] = {}
    for position, number in enumerate(group):
        groups.setdefault(number, []).append(position)
    return [
        ([pooled[k] for k in positions], sum(sizes[k] for k in positions))
        for positions in groups.values()
    ]


def _links(
    card: DatasetCard, pooled: Sequence[int], scenes: Sequence[LabelledScene]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of scenes that belong together, by file, group or georeference."""
    yield from links_by_value(_contents([card.scenes[index] for index in pooled]))
    names = dict(enumerate(card.groups))
    yield from links_by_value([names.get(index) or number for number, index in enumerate(pooled)])
    for one, other, _ in find_overlaps([ground_of_scene(scene) for scene in scenes]):
        yield one, other


def _contents(scenes: Sequence[CardScene]) -> list[tuple[int, str]]:
    """Return each image's file size with its hash, or with its path if the size is unique."""
    sizes = [scene.image.stat().st_size for scene in scenes]
    alike = {size for size, count in Counter(sizes).items() if count > 1}
    return [
        (size, hash_file(scene.image) if size in alike else str(scene.image))
        for scene, size in zip(scenes, sizes, strict=True)
    ]


def _parts(sizes: Sequence[int], folds: int) -> list[int]:
    """Assign each group a fold, from 0: largest first, each to the fold with fewest pixels."""
    part, filled = [0] * len(sizes), [(0, number) for number in range(folds)]
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        pixels, number = min(filled)
        part[index] = number
        filled[number] = (pixels + sizes[index], number)
    return part
