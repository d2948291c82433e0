"""Map legend: merges and renames a model's classes by the user's legend file."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.spec import ModelSpec
from geosrseg.raster.maps.legend_file import read_legend_file


@dataclass(frozen=True, slots=True, eq=False)
class MapLegend:
    """The classes of a map, and how they are made from the model's.

    Attributes:
        spec: the model's specification as if it predicted the map's classes.
        merge: (256,) index of the map's class for each class of the model; `NODATA` if ignored.
        identity: legend and merging as text; empty if the classes are the model's own.
        ignoring: whether some of the model's classes are ignored.
    """

    spec: ModelSpec
    merge: NDArray[np.uint8]
    identity: str = ""
    ignoring: bool = False


def map_legend(spec: ModelSpec, path: str | Path | None) -> MapLegend:
    """Apply a legend file to a model's classes; without a file, keep the model's own.

    Raises:
        OutputError: the file cannot be read, or does not fit the model's classes.
    """
    if path is None:
        return MapLegend(spec, np.arange(NODATA + 1, dtype=np.uint8))
    rules = read_legend_file(path)
    ids = rules.table(spec.legend, owner=f"{spec.name} {spec.version}")
    merge = rules.legend.index_table()[ids[spec.legend.id_table()]]
    places = merge[: len(spec.legend)].tolist()
    identity = f"{rules.legend.to_json()} {places}"
    return MapLegend(_merged(spec, rules.legend, merge), merge, identity, NODATA in places)


def _merged(spec: ModelSpec, legend: Legend, merge: NDArray[np.uint8]) -> ModelSpec:
    """Return the specification as if the model predicted the classes of `legend`.

    If a class is ignored, a confusion matrix cannot hold its errors, so it is left out.
    """
    places = merge[: len(spec.legend)]
    confusion: tuple[tuple[int, ...], ...] = ()
    if spec.confusion and NODATA not in places:
        counts = np.zeros((len(legend), len(legend)), np.int64)
        np.add.at(counts, np.ix_(places, places), np.array(spec.confusion))
        confusion = tuple(tuple(row) for row in counts.tolist())
    shares: tuple[float, ...] = ()
    if spec.domain.shares and NODATA not in places:
        # The share of a merged class in an image is at most the sum of the largest shares.
        sums = np.bincount(places, spec.domain.shares, minlength=len(legend))
        shares = tuple(np.minimum(sums, 1).tolist())
    return replace(
        spec, legend=legend, confusion=confusion, domain=replace(spec.domain, shares=shares)
    )
