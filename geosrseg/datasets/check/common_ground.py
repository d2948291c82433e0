"""CommonGround: images of two splits that show the same place, which makes scores worthless."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from rasterio.warp import transform_bounds
from shapely import STRtree, box
from shapely.geometry import Polygon

from geosrseg.datasets.block_split import BlockSplit
from geosrseg.datasets.card.card_scene import SPLITS
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.source_scene import SourceScene
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS

LEAST = 0.01
"""Share of the smaller image's ground from which on two images overlap."""


@dataclass(frozen=True, slots=True)
class CommonGround:
    """Two images that share ground.

    Attributes:
        trained: image that trains.
        tested: image that validates or tests.
        split: split of `tested`.
        share: share of the ground of `tested` that `trained` shows too.
        of_trained: share of the ground of `trained` that `tested` shows too.
        same: both are one file, or have the same pixels.
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
    """Find pairs of images that share ground, where one trains and the other does not.

    The splits of a single image are not a pair, as the guard keeps them apart.

    Args:
        digests: digest of each scene's pixels, see `ImageSurvey`.
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
                share, of_trained = (
                    common.height * common.width / (used.height * used.width)
                    for used in (tested.split.used, trained.split.used)
                )
                yield CommonGround(trained.path, tested.path, split, share, of_trained, same=True)


def _overlapping(scenes: Sequence[LabelledScene]) -> Iterator[CommonGround]:
    """Yield pairs that overlap by georeference; images without one have no place."""
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
    """Yield the indices of two images that share ground, and the share of each one's ground.

    Args:
        grounds: ground of each image in degrees; None without a georeference.
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
    """Return an image's used part in degrees; None in a packed file or without a georeference."""
    if isinstance(scene, SourceScene) and scene.source.chip_grid is not None:
        return None
    if scene.grid.transform.is_identity:
        return None
    return ground_of(scene.grid.part(scene.split.used))


def ground_of(grid: Grid) -> Polygon | None:
    """Return the ground of a grid in degrees; None without a georeference."""
    if grid.crs is None or grid.transform.is_identity:
        return None
    (left, right), (bottom, top) = sorted(grid.bounds[::2]), sorted(grid.bounds[1::2])
    try:
        return box(*transform_bounds(grid.crs, "EPSG:4326", left, bottom, right, top))
    except GDAL_ERRORS:
        return None


def _roles(
    one: LabelledScene, other: LabelledScene, *, same: bool
) -> Iterator[tuple[LabelledScene, LabelledScene, str]]:
    """Yield the image that trains, the one that does not, and the split of the latter."""
    if _agree(one, other, same=same):
        return
    for trained, tested in ((one, other), (other, one)):
        held_out = [s for s in SPLITS if s != "train" and tested.split.may_hold(s)]
        if trained.split.may_hold("train") and held_out:
            yield trained, tested, held_out[0]
            return


def _agree(one: LabelledScene, other: LabelledScene, *, same: bool) -> bool:
    """Return whether both put each place into one split, by the same raster or blocks."""
    if isinstance(one.split.source, str) or one.split.source != other.split.source:
        return False
    return same or not isinstance(one.split.source, BlockSplit)
