"""ProductFile, the base of files made from a finished map, and FinishedMap, their input."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend
from geosrseg.core.spec import ModelSpec
from geosrseg.products.areas import AreaCounter, Areas
from geosrseg.products.asset import Asset, MapFile
from geosrseg.products.ground_area import pixel_areas
from geosrseg.raster.acquisition import acquisition_date
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.map_date import date_in
from geosrseg.raster.maps.strips import open_strips
from geosrseg.raster.scene import Scene


@dataclass(frozen=True, kw_only=True)
class FinishedMap:
    """A map whose layers are published, made just now or earlier.

    Attributes:
        files: the map's files so far, by name: layers, then styles, then product files.
        tags: metadata in the layers, such as ``GEOSRSEG_MODEL``.
        scene: the open scene; None if it is not available.
        spec: the model's specification; None if it is not available.
        options: how the layers were made, as text for readers.
        title: title for readers; empty for a default.
        plain: a copy of the class map as uint8, with `NODATA` for nodata and overviews by mode,
            if its own file has another form.
    """

    legend: Legend
    files: dict[str, MapFile]
    tags: Mapping[str, str]
    scene: Scene | None = None
    spec: ModelSpec | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    plain: Path | None = None

    @property
    def class_map(self) -> Path:
        """The class map to read: uint8, with `NODATA` for nodata."""
        return self.plain or self.files["classes"].path

    @property
    def name(self) -> str:
        """The map's title, or else the scene's name, or else its file name."""
        named = self.title or (self.scene.header.name if self.scene else "")
        return named or self.files["classes"].path.name

    @property
    def unlike(self) -> tuple[str, ...]:
        """How the scene differs from the training data."""
        return tuple(filter(None, self.tags.get("GEOSRSEG_UNLIKE", "").split("; ")))

    @property
    def taken(self) -> date | None:
        """The scene's date from its metadata or the file names, if known."""
        found = None if self.scene is None else acquisition_date(self.scene)
        names = self.tags.get("GEOSRSEG_INPUT", ""), self.files["classes"].path.name
        return found or next(filter(None, map(date_in, names)), None)

    @property
    def confidence(self) -> Path | None:
        """The confidence layer; None if there is none."""
        file = self.files.get("confidence")
        return None if file is None else file.path

    @cached_property
    def areas(self) -> Areas:
        """The areas of the classes; the map is read at the first access.

        Raises:
            OutputError: the map cannot be read.
        """
        # The confusion matrix does not apply to a scene unlike the training data.
        counts = self.spec.confusion if self.spec and not self.unlike else None
        confusion = ConfusionMatrix(np.array(counts)) if counts else None
        return measure_areas(self.class_map, self.legend, confusion=confusion)

    @property
    def counted_areas(self) -> Areas | None:
        """The areas; None if they have not been counted."""
        return self.__dict__.get("areas")


class ProductFile(ABC):
    """A file made from a finished map.

    Attributes:
        help: description for ``--help``.
        metavar: placeholder for the value of its option.
        suffixes: allowed suffixes of the file.
        options: dataclass of its own options, with fields made by
            `geosrseg.core.option.option`; None if it has none.
        comes_last: write it after all other products, because it lists them.
    """

    help: ClassVar[str] = ""
    metavar: ClassVar[str] = "FILE"
    suffixes: ClassVar[Sequence[str]]
    options: ClassVar[type | None] = None
    comes_last: ClassVar[bool] = False

    @abstractmethod
    def asset(self, path: Path) -> Asset:
        """The STAC asset of the file at this path."""

    def check(self, path: Path, grid: Grid, options: Any) -> None:  # noqa: B027
        """Refuse, before hours of work, a file that cannot be made from a map on this grid.

        Raises:
            OutputError: the file cannot be made.
        """

    @abstractmethod
    def write(self, path: Path, finished: FinishedMap, options: Any) -> None:
        """Write the file; an existing one may be replaced.

        Raises:
            GeosrsegError: the map or the scene cannot be read, or the file cannot be written.
        """


def measure_areas(
    class_map: Path, legend: Legend, *, confusion: ConfusionMatrix | None = None
) -> Areas:
    """Measure the areas of a finished class map in one pass.

    Args:
        confusion: the model's confusion matrix, for error-adjusted estimates.

    Raises:
        OutputError: the map cannot be read.
    """
    with open_strips(class_map) as strips:
        counter = AreaCounter(legend, pixel_areas(strips.grid))
        for strip in strips:
            counter.add(strip.labels, strip.row_off)
    return counter.areas(confusion)
