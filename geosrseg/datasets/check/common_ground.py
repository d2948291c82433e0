"""CommonGround: images of two splits that show the same place, which no score survives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from rasterio.warp import transform_bounds
from shapely import STRtree, box
from shapely.geometry import Polygon

from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.block_split import BlockSplit
from geosrseg.datasets.card.card_scene import SPLITS
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.source_scene import SourceScene
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS

LEAST = 0.01
"""Share of the smaller image's ground above which two images are said to overlap."""


@dataclass(frozen=True, slots=True)
class CommonGround:
    """Two images.

    Attributes:
        tested: one that validates or tests.
        share: of the second one's ground that the first shows too.
        of_trained: of the first one's ground that the second shows.
        same: both are the same file, or hold the same pixels.
    """

    trained: Path
    tested: Path
    split: str
    share: float
    of_trained: float
    same: bool


def find_common_ground(
    scenes: Sequence[LabelledScene], digests: Sequence[str]
) -> list[CommonGround]:
    """Pairs of images, one that trains and one that does not, which show the same.

    Within one image the guard keeps the splits apart, so its own splits are no pair.

    Args:
        scenes: of a dataset.
        digests: of their pixels, see `ImageSurvey`.
    """
    found = [*_same_pixels(scenes, digests)]
    known = {(pair.trained, pair.tested) for pair in found}
    found += [pair for pair in _overlapping(scenes) if (pair.trained, pair.tested) not in known]
    return found


def _same_pixels(scenes: Sequence[LabelledScene], digests: Sequence[str]) -> Iterator[CommonGround]:
    groups: dict[str, list[LabelledScene]] = {}
    for scene, digest in zip(scenes, digests, strict=True):
        groups.setdefault(digest, []).append(scene)
    for group in groups.values():
        for one, other in combinations(group, 2):
            common = one.split.used.overlap(other.split.used)
            if common is None:
                continue
            for trained, tested, split in _roles(one, other, same=True):
                shares = [_pixels(common) / _pixels(s.split.used) for s in (tested, trained)]
                yield CommonGround(
                    trained.path, tested.path, split, shares[0], shares[1], same=True
                )


def _overlapping(scenes: Sequence[LabelledScene]) -> Iterator[CommonGround]:
    """By their georeference; images without one lie nowhere."""
    for first, second, shares in find_overlaps([ground_of_scene(s) for s in scenes]):
        one, other = scenes[first], scenes[second]
        for trained, tested, split in _roles(one, other, same=False):
            of_tested, of_trained = shares if tested is one else shares[::-1]
            if trained.path != tested.path:
                yield CommonGround(
                    trained.path, tested.path, split, of_tested, of_trained, same=False
                )


def find_overlaps(
    grounds: Sequence[Polygon | None],
) -> Iterator[tuple[int, int, tuple[float, float]]]:
    """Pairs of images that show common ground, by their numbers, and the share of each one's.

    Args:
        grounds: what each image covers, in degrees; None for one that lies nowhere.
    """
    placed = [(number, ground) for number, ground in enumerate(grounds) if ground is not None]
    if not placed:
        return
    known = [ground for _, ground in placed]
    pairs = STRtree(known).query(known, predicate="intersects")
    for first, second in np.transpose(pairs).tolist():
        if first >= second:
            continue
        common = known[first].intersection(known[second]).area
        shares = (common / known[first].area, common / known[second].area)
        if max(shares) >= LEAST:
            yield placed[first][0], placed[second][0], shares


def ground_of_scene(scene: LabelledScene) -> Polygon | None:
    """The used part of an image in degrees; None without a georeference, or if it is of a pack."""
    if isinstance(scene, SourceScene) and scene.source.chip_grid is not None:
        return None
    if scene.grid.transform.is_identity:
        return None
    return ground_of(scene.grid.part(scene.split.used))


def ground_of(grid: Grid) -> Polygon | None:
    """What a grid covers, in degrees; None without a georeference."""
    if grid.crs is None or grid.transform.is_identity:
        return None
    left, bottom, right, top = grid.bounds
    try:
        bounds = transform_bounds(
            grid.crs,
            "EPSG:4326",
            min(left, right),
            min(bottom, top),
            max(left, right),
            max(bottom, top),
        )
    except GDAL_ERRORS:
        return None
    return box(*bounds)


def _roles(
    one: LabelledScene, other: LabelledScene, *, same: bool
) -> Iterator[tuple[LabelledScene, LabelledScene, str]]:
    """Which of two images trains and which does not, and what that one does."""
    if _agree(one, other, same=same):
        return
    for trained, tested in ((one, other), (other, one)):
        held_out = [s for s in SPLITS if s != "train" and tested.split.may_hold(s)]
        if trained.split.may_hold("train") and held_out:
            yield trained, tested, held_out[0]
            return


def _agree(one: LabelledScene, other: LabelledScene, *, same: bool) -> bool:
    """Whether one place is in one split in both: of one raster, or of blocks of one grid."""
    if isinstance(one.split.source, str) or one.split.source != other.split.source:
        return False
    return same or not isinstance(one.split.source, BlockSplit)


def _pixels(window: Window) -> int:
    return window.height * window.width
