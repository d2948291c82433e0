"""ProductFile: a file that is made from a finished map, and what it is made from."""

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
    """A map whose layers have their names, made just now or long ago.

    Attributes:
        legend: the classes.
        files: what belongs to the map so far, by name: the layers, then their styles, then
            the product files.
        tags: what the layers say of their making.
        scene: the open scene; None where it is not at hand.
        spec: of the model; None where it is not at hand.
        options: how the layers were made, for a reader.
        title: what a reader is to call it.
        plain: the class map as uint8, with `NODATA` for nodata and overviews by mode, where
            its own file has another form.
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
        """The class map to read: uint8, `NODATA` where nothing is known."""
        return self.plain or self.files["classes"].path

    @property
    def name(self) -> str:
        """What a reader calls it: its title, the scene's name, or else its own."""
        named = self.title or (self.scene.header.name if self.scene else "")
        return named or self.files["classes"].path.name

    @property
    def unlike(self) -> tuple[str, ...]:
        """How the scene differs from the training data."""
        return tuple(filter(None, self.tags.get("GEOSRSEG_UNLIKE", "").split("; ")))

    @property
    def taken(self) -> date | None:
        """The day of the scene, as far as names say."""
        found = None if self.scene is None else acquisition_date(self.scene)
        names = self.tags.get("GEOSRSEG_INPUT", ""), self.files["classes"].path.name
        return found or next(filter(None, map(date_in, names)), None)

    @property
    def confidence(self) -> Path | None:
        """The file of the confidence, if there is one."""
        file = self.files.get("confidence")
        return None if file is None else file.path

    @cached_property
    def areas(self) -> Areas:
        """The areas of the classes, for which the map is read once.

        Raises:
            OutputError: it cannot be read.
        """
        # Of a scene unlike those, the confusion matrix is of another population.
        counts = self.spec.confusion if self.spec and not self.unlike else None
        confusion = ConfusionMatrix(np.array(counts)) if counts else None
        return measure_areas(self.class_map, self.legend, confusion=confusion)

    @property
    def counted_areas(self) -> Areas | None:
        """The areas if they have been counted."""
        return self.__dict__.get("areas")


class ProductFile(ABC):
    """A file that is made from a finished map.

    Attributes:
        help: what the file is, for ``--help``.
        metavar: what its option takes.
        suffixes: what its name may end in.
        options: the dataclass of its own options, whose fields are made by
            `geosrseg.core.option.option`; None if it has none.
        comes_last: it is written when all others are, as it lists them.
    """

    help: ClassVar[str] = ""
    metavar: ClassVar[str] = "FILE"
    suffixes: ClassVar[Sequence[str]]
    options: ClassVar[type | None] = None
    comes_last: ClassVar[bool] = False

    @abstractmethod
    def asset(self, path: Path) -> Asset:
        """What a STAC item says of the file at this path."""

    def check(self, path: Path, grid: Grid, options: Any) -> None:  # noqa: B027
        """Refuse, before hours of work, what a map on this grid cannot become.

        Raises:
            OutputError: says why.
        """

    @abstractmethod
    def write(self, path: Path, finished: FinishedMap, options: Any) -> None:
        """Write the file; what stands there may be replaced.

        Raises:
            GeosrsegError: the map or the scene cannot be read, or the file not written.
        """


def measure_areas(
    class_map: Path, legend: Legend, *, confusion: ConfusionMatrix | None = None
) -> Areas:
    """Count the areas of a finished class map, in one reading.

    Args:
        class_map: its file.
        legend: its classes.
        confusion: what the model confuses; with it the areas are also estimated.

    Raises:
        OutputError: it cannot be read.
    """
    with open_strips(class_map) as strips:
        counter = AreaCounter(legend, pixel_areas(strips.grid))
        for strip in strips:
            counter.add(strip.labels, strip.row_off)
    return counter.areas(confusion)
