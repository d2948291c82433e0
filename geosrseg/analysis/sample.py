"""Draws a stratified random sample of points from a class map, for visual interpretation.

The file does not hold the map's class, which would bias the interpreter. `assess` reads it from
the map.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.raster.maps.class_map import ClassMap, open_class_map, read_strips
from geosrseg.raster.storage.publication import check_output, open_drafts, publish

SUFFIXES = (".gpkg", ".fgb", ".geojson")

ALLOCATIONS = ("proportional", "equal")


def sample(
    class_map: str | Path,
    output: str | Path,
    *,
    points: int = 500,
    allocation: str = "proportional",
    least: int = 50,
    seed: int = 0,
    legend: str | Path | None = None,
    overwrite: bool = False,
) -> dict[int, int]:
    """Draw random points within each class of a map, and write them for interpretation.

    The columns are ``point``, a number in random order, and ``reference``, which the interpreter
    fills with the id or name of a class. Points lie at pixel centres.

    Args:
        class_map: a map of classes, see `open_class_map`.
        output: ``.gpkg``, ``.fgb`` or ``.geojson``.
        points: total number of points.
        allocation: ``proportional`` to the classes' pixels with at least `least` each, as
            Olofsson et al. (2014) recommend, or ``equal``.
        least: fewest points per class, if the class has that many pixels.
        seed: the same seed gives the same points.
        legend: a legend file for the map.

    Returns:
        Points per class id.

    Raises:
        OutputError: the map cannot be read, there are fewer points than classes, or the output
            cannot be written.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    output = Path(output)
    check_output(output, suffixes=SUFFIXES, overwrite=overwrite)
    opened = open_class_map(class_map, legend=legend)
    counts = np.zeros(256, np.int64)
    for _, labels in read_strips(opened):
        counts += np.bincount(labels.ravel(), minlength=256)
    counts[NODATA] = 0
    wanted = allocate(counts, points, allocation=allocation, least=least)
    generator = np.random.default_rng(seed)
    ranks = {
        int(value): np.sort(generator.choice(counts[value], wanted[value], replace=False))
        for value in np.flatnonzero(wanted)
    }
    places = generator.permutation(_find(opened, ranks))
    with open_drafts(output) as folder:
        draft = folder / output.name
        _write(draft, opened, places)
        publish([draft], output)
    return {value: len(chosen) for value, chosen in ranks.items()}


def allocate(
    counts: NDArray[np.int64], points: int, *, allocation: str, least: int
) -> NDArray[np.int64]:
    """Return (256,) points per value.

    Args:
        counts: (256,) pixels per value.
        points: total number of points.
        allocation: one of `ALLOCATIONS`.
        least: fewest points per class, reduced if `points` does not suffice or the class has
            fewer pixels.

    Raises:
        OutputError: there are fewer points than classes.
    """
    present = np.flatnonzero(counts)
    if points < len(present):
        raise OutputError(f"{points} points for {len(present)} classes: ask for at least one each")
    floor = min(least, points // len(present))
    most = counts[present]
    shares = most / most.sum() if allocation == "proportional" else np.ones(len(present))
    total = min(points, int(most.sum()))
    exact = np.zeros(len(present))
    free = np.ones(len(present), np.bool_)  # not yet held at the fewest or most points
    while free.any():
        exact[free] = shares[free] * ((total - exact[~free].sum()) / shares[free].sum())
        allowed = np.clip(exact, np.minimum(floor, most), most)
        held = free & (allowed != exact)
        exact, free = np.where(held, allowed, exact), free & ~held
        if not held.any():
            break
    wanted = np.floor(exact).astype(np.int64)
    order = np.argsort(wanted - exact, kind="stable")
    wanted[order[: total - int(wanted.sum())]] += 1
    result = np.zeros(256, np.int64)
    result[present] = wanted
    return result


def _find(class_map: ClassMap, ranks: dict[int, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return (n, 2) row and column of the pixels with the given ranks within their classes."""
    passed = dict.fromkeys(ranks, 0)
    places = []
    for strip, labels in read_strips(class_map):
        for value, wanted in ranks.items():
            flat = np.flatnonzero(labels == value)
            first = passed[value]
            here = wanted[(wanted >= first) & (wanted < first + len(flat))] - first
            rows, cols = np.divmod(flat[here], labels.shape[1])
            places.append(np.stack([rows + strip.row_off, cols], axis=1))
            passed[value] = first + len(flat)
    return np.concatenate(places)


def _write(path: Path, class_map: ClassMap, places: NDArray[np.int64]) -> None:
    with extra("gis"):
        import shapely  # noqa: PLC0415
        from pyogrio.raw import write  # noqa: PLC0415
    rows, cols = places.T + 0.5
    x, y = class_map.grid.transform @ (cols, rows)
    crs = class_map.grid.crs
    numbers = np.arange(1, len(places) + 1)
    options = {"RFC7946": "YES"} if path.suffix == ".geojson" else {}
    try:
        write(
            path,
            shapely.to_wkb(shapely.points(x, y)),
            [numbers, np.full(len(places), "", np.object_)],
            ["point", "reference"],
            geometry_type="Point",
            crs=None if crs is None else crs.to_wkt(),
            layer=path.stem,
            **options,
        )
    except (RuntimeError, OSError) as error:
        raise OutputError(f"{path.name}: cannot be written ({error})") from error
