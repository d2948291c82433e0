"""ArrayMap: a class map and its other layers as arrays in memory."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import Legend
from geosrseg.errors import DeviceMemoryError, OutputError
from geosrseg.mapping.layers.layers import CLASSES, CONFIDENCE
from geosrseg.mapping.map_job import MapJob, open_job
from geosrseg.mapping.map_options import MapOptions
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.map_rows import predict_rows
from geosrseg.mapping.prediction import OnProgress, WindowCounter
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.storage.location import Location
from geosrseg.raster.xarrays import data_array, scale_attributes
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.session import Session

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, slots=True, eq=False)
class ArrayMap:
    """A class map in memory.

    Attributes:
        layers: (channels, rows, cols) by the layer's name, including the class map.
        profiles: grid, bands and nodata of each layer.
        warnings: assumptions about the array.
    """

    layers: Mapping[str, NDArray[np.generic]]
    profiles: Mapping[str, CogProfile]
    legend: Legend
    warnings: tuple[str, ...]

    @property
    def labels(self) -> NDArray[np.generic]:
        """(rows, cols) uint8 class ids; 255 for nodata."""
        return self.layers[CLASSES][0]

    @property
    def confidence(self) -> NDArray[np.generic] | None:
        """(rows, cols) uint8 confidence in each label, in percent; None if not requested."""
        return self.layers[CONFIDENCE][0] if CONFIDENCE in self.layers else None

    @property
    def doubt(self) -> NDArray[np.generic] | None:
        """(rows, cols) uint8 nearness of unknown ground, in percent; None if not requested."""
        return self.layers[CONFIDENCE][1] if CONFIDENCE in self.layers else None

    @property
    def grid(self) -> Grid:
        """CRS, transform, height and width of the class map."""
        return self.profiles[CLASSES].grid

    def to_xarray(self, layer: str = CLASSES) -> "xarray.DataArray":
        """Return a layer as a DataArray by rioxarray's conventions.

        The class map has the attributes ``flag_values``, ``flag_meanings`` and ``flag_colors``
        of the CF conventions. In ``flag_meanings``, ``_`` replaces the blanks of a name.

        Raises:
            OutputError: the map has no such layer.
            MissingExtraError: rioxarray is not installed.
        """
        if layer not in self.layers:
            raise OutputError(f"no layer {layer!r}: the map has {', '.join(self.layers)}")
        profile, values = self.profiles[layer], self.layers[layer]
        single = len(profile.bands) == 1
        attributes: dict[str, Any] = {"long_name": layer if single else profile.bands}
        if profile.units:
            attributes["units"] = profile.units
        if profile.scale:
            attributes |= scale_attributes(profile.scale, profile.offset)
        if profile.legend is not None:
            attributes |= _flags(profile.legend)
        return data_array(
            values[0] if single else values,
            profile.grid,
            nodata=profile.nodata,
            band_names=profile.bands,
            attributes=attributes,
        )


def map_array_file(
    location: Location, options: MapOptions, session: Session, *, on_progress: OnProgress
) -> ArrayMap:
    """Make the map of a scene in memory.

    Raises:
        GeosrsegError: the scene or an option is unusable, or the map does not fit into memory.
    """
    for name in options.products.files:
        raise OutputError(f"`{name}` is made from a map's file: map a scene, or leave it out")
    request = MapRequest(scene=location, options=options)
    with open_job(request, session) as job:
        _check_memory(job.raw_bytes)
        profiles = job.profiles()
        layers: dict[str, NDArray[np.generic]] = {
            name: np.empty((len(it.bands), it.grid.height, it.grid.width), it.dtype)
            for name, it in profiles.items()
        }
        counter = WindowCounter(
            job.plan,
            on_progress,
            [range(len(job.plan.rows.starts))],
            total=len(job.plan),
            factor=session.spec.upscale_factor,
        )
        _fill(layers, job, counter)
        return ArrayMap(layers, profiles, job.legend.spec.legend, job.scene.warnings)


def _fill(layers: Mapping[str, NDArray[np.generic]], job: MapJob, counter: WindowCounter) -> None:
    """Run all windows, and put the finished rows into the layers."""
    done = dict.fromkeys(layers, 0)
    with closing(
        predict_rows(job, on_read=lambda: counter.enter("network"), on_window=counter.count)
    ) as all_rows:
        for strip in all_rows:
            for name, rows in strip.items():
                stop = done[name] + rows.shape[1]
                layers[name][:, done[name] : stop] = rows
                done[name] = stop


def _check_memory(needed: int) -> None:
    """Refuse a map that exceeds memory: otherwise the system would kill the process."""
    free = available_memory()
    if needed > free:
        raise DeviceMemoryError(
            f"the map takes {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} are free: write the "
            "array to a file and map that"
        )


def _flags(legend: Legend) -> dict[str, Any]:
    return {
        "flag_values": np.array(legend.ids, np.uint8),
        "flag_meanings": " ".join("_".join(name.split()) for name in legend.names),
        "flag_colors": " ".join(item.colour for item in legend.classes),
    }
