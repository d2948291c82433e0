"""ProductFile: a file that is made from a finished map, and what it is made from."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.spec import ModelSpec
from geosrseg.products.areas import AreaCounter, Areas
from geosrseg.products.asset import Asset, MapFile
from geosrseg.products.ground_area import pixel_areas
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.strips import open_strips
from geosrseg.raster.scene import Scene


@dataclass(frozen=True, kw_only=True)
class FinishedMap:
    """A map whose layers have their names.

    Attributes:
        scene: the open scene.
        spec: of the model.
        files: what belongs to the map so far, by name: the layers, then their styles, then
            the product files.
        tags: what the layers say of their making.
        options: how they were made, for a reader.
    """

    scene: Scene
    spec: ModelSpec
    files: dict[str, MapFile]
    tags: Mapping[str, str]
    options: Mapping[str, str]

    @property
    def class_map(self) -> Path:
        """The class map's file."""
        return self.files["classes"].path

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
        adjusted = not self.scene.header.unlike
        return measure_areas(self.class_map, self.spec, adjusted=adjusted)

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
        options: the dataclass of the options of its own, whose fields are made by
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


def measure_areas(class_map: Path, spec: ModelSpec, *, adjusted: bool = True) -> Areas:
    """Count the areas of a finished class map, in one reading.

    Args:
        class_map: its file.
        spec: of the model that made it.
        adjusted: estimate the areas from the model's confusion matrix too, where it has one.

    Raises:
        OutputError: it cannot be read.
    """
    with open_strips(class_map) as strips:
        counter = AreaCounter(spec.legend, pixel_areas(strips.grid))
        for strip in strips:
            counter.add(strip.labels, strip.row_off)
    known = adjusted and spec.confusion
    return counter.areas(ConfusionMatrix(np.array(spec.confusion)) if known else None)
