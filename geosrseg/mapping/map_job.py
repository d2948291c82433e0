"""MapJob: a map request whose scene is open and whose windows are planned."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geosrseg.core.text.numerals import parse_integer
from geosrseg.core.tiling.windows import Window, WindowPlan
from geosrseg.errors import (
    DeviceError,
    DeviceMemoryError,
    GeosrsegError,
    SceneError,
)
from geosrseg.mapping.layers.layer import Layer, MapFrame
from geosrseg.mapping.layers.layers import LAYERS, identities
from geosrseg.mapping.map_legend import MapLegend, map_legend
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.planning.scene_faults import with_all_faults
from geosrseg.mapping.planning.scene_plan import fitting_window_size, plan_scene
from geosrseg.products.writing import check_grid
from geosrseg.raster.files.fingerprint import hash_files
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.manifest import FORM, OUTPUT, STRIPS, VERSION
from geosrseg.raster.maps.row_layout import LayerLayout, RowLayout
from geosrseg.raster.maps.row_store import read_manifest
from geosrseg.raster.scene import Scene, open_scene
from geosrseg.raster.storage.gdal import check_proj
from geosrseg.raster.storage.publication import check_apart
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.session import Session
from geosrseg.version import __version__

SHARE = 0.5
"""Default share of the free memory that the network may take."""

WINDOW_SIZE = "window size"
"""Key in a manifest."""

BY_MEMORY = " by free memory"
"""Follows a window size that no option decided; a resumed run uses it again."""

LEAST_BYTES = 5
"""Least memory per pixel of a band while it is read: a digital number and its float32."""

LEAST_SHARE = 1 / 3
"""Least memory of a run, as a fraction of the session's `bytes_per_pixel` estimate."""

MAX_WINDOW = 2**20
"""LR pixels; a larger window size in a manifest is ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapJob:
    """Everything that is decided before the first window runs.

    Attributes:
        scene: the part of the open scene that the windows cover.
        shown: the part of `scene` that the map shows.
        window_size: LR pixels along a side of the largest window allowed.
        layers: the requested layers by name, including the class map.
    """

    request: MapRequest
    session: Session
    scene: Scene
    shown: Window
    window_size: int
    plan: WindowPlan
    layers: Mapping[str, Layer]
    legend: MapLegend

    @property
    def mapped(self) -> Scene:
        """The part of the scene that the map shows."""
        return self.scene.part(self.shown)

    @property
    def needs_sr(self) -> bool:
        """Whether a layer is made from the super-resolved image."""
        return any(layer.needs_sr for layer in self.layers.values())

    def profiles(self) -> dict[str, CogProfile]:
        """Return the profile of each layer by name."""
        return {name: layer.profile() for name, layer in self.layers.items()}

    @property
    def raw_bytes(self) -> int:
        """Bytes of all layers without compression."""
        return sum(
            len(it.bands) * it.grid.height * it.grid.width * np.dtype(it.dtype).itemsize
            for it in self.profiles().values()
        )

    def row_layout(self) -> RowLayout:
        """Return the layout of the rows that are stored."""
        height, span = self.shown.height, self.plan.rows
        return RowLayout(
            layers={
                layer: LayerLayout(
                    channels=len(profile.bands),
                    width=profile.grid.width,
                    dtype=profile.dtype,
                    factor=profile.grid.height // height,
                    allowed=profile.allowed_values(),
                )
                for layer, profile in self.profiles().items()
            },
            heights=tuple(
                len(span.core_within(index, self.shown.row_off, self.shown.row_stop))
                for index in range(len(span.starts))
            ),
        )

    def manifest(self) -> dict[str, str]:
        """Return everything that determines the rows of the map, as text by name."""
        header, plan = self.scene.header, self.plan
        selections = [file.selection for file in header.files]
        return {
            VERSION: __version__,
            FORM: "; ".join(f"{n}: {', '.join(it.bands)}" for n, it in self.profiles().items()),
            "model": self.session.sha256,
            "device": self.session.device,
            "precision": self.session.precision,
            "scene": f"{header.location.name} ({hash_files(header.local_paths)})",
            # A remote file is assumed to be unchanged if its address is.
            "addresses": ", ".join(str(place) for place in header.locations if place.is_remote),
            "bands": str([it.indexes for it in selections]),
            # What a sidecar can change; its bytes also change when a program adds statistics.
            "nodata": str([(*it.nodata, *it.fills) for it in selections]),
            "nodata in all bands": str([it.shared_fills for it in selections]),
            "masks": str([(it.masked, it.alpha) for it in selections]),
            "nodata if": f"{selections[0].nodata_if} {[it.stand_in for it in selections]}",
            "quality": str([flags.masked | flags.fill for flags in header.quality]),
            "resampled": str(
                [file.resampled.method.name for file in header.files if file.resampled]
            ),
            "grid": str(header.grid.transform[:6]),
            "aoi": header.aoi.digest if header.aoi else "all",
            "extent": f"{header.part} {self.shown}",
            "radiometry": f"{header.radiometry.scale} {header.radiometry.offset}",
            WINDOW_SIZE: str(self.window_size)
            + ("" if self.request.options.windows.sets_size else BY_MEMORY),
            "halo": str(plan.rows.halo),
            "ramp": str(plan.rows.ramp),
            "legend": self.legend.identity or "the model's",
            "layers": identities(self.request.options.layers),
            OUTPUT: self.request.output.name if self.request.output else "",
            STRIPS: str(len(plan.rows.starts)),
        }

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags of every file about how it was made."""
        return _tags(self.request, self.session, self.scene)

    def options(self) -> Mapping[str, str]:
        """Return how the map is made, for its readers; empty text if an entry does not apply."""
        wanted, plan = self.request.options, self.plan
        radiometry = self.scene.radiometry
        scales = sorted(set(zip(radiometry.scale, radiometry.offset, strict=True)))
        return {
            "Reflectance": "; ".join(f"number × {a:g} + {b:g}" for a, b in scales),
            "Left out": ", ".join(wanted.reading.masked),
            "Area of interest": _shown(wanted.reading.aoi),
            "Legend": Path(wanted.legend).name if wanted.legend else "",
            "Windows": (
                f"{self.window_size} pixels of the scene, halo {plan.rows.halo}, "
                f"seams {wanted.windows.seams}"
            ),
            "Run on": f"{self.session.device}, {self.session.precision}",
        }


@contextmanager
def open_job(request: MapRequest, session: Session) -> Iterator[MapJob]:
    """Open the scene of a request and plan its windows.

    Raises:
        SceneError: the scene cannot be read, or does not fit the model; lists all faults.
        GeosrsegError: windows and overlap do not fit together, or memory does not suffice for
            one window, or for reading one strip of windows.
        OutputError: an output is a file that is read, or cannot be made from the scene.
    """
    with ExitStack() as stack:
        try:
            job = stack.enter_context(_open_job(request, session))
        except SceneError as error:
            raise with_all_faults(
                error, request.scene, spec=session.spec, reading=request.options.reading
            ) from error
        yield job


@contextmanager
def _open_job(request: MapRequest, session: Session) -> Iterator[MapJob]:
    spec, options, windows = session.spec, request.options, request.options.windows
    check_proj()
    legend = map_legend(spec, options.legend)
    with open_scene(
        request.scene, model_bands=spec.bands, spec=spec, reading=options.reading
    ) as scene:
        aoi = options.reading.aoi
        read = [*scene.header.local_paths, options.legend, aoi if isinstance(aoi, str) else None]
        for path in request.files:
            check_apart(path, read)
        mapped = scene.part(scene.extent)
        check_grid(options.products, mapped.grid)
        window_size = _window_size(request, session, scene)
        whole = plan_scene(scene, spec, windows, window_size=window_size)
        # The windows are those of the whole scene, so that its pixels do not change.
        ground, plan = whole.part(scene.extent)
        ground = ground.clipped(scene.grid.height, scene.grid.width)
        _check_width(scene, plan, available_memory())
        _check_window(session, plan, windows.batch)
        frame = MapFrame(
            scene=mapped,
            spec=legend.spec,
            halo=min(spec.halo, plan.rows.halo),
            tags=_tags(request, session, scene),
            merge=legend.merge if legend.identity else None,
        )
        yield MapJob(
            request=request,
            session=session,
            scene=scene.part(ground),
            shown=scene.extent.inside(ground),
            window_size=window_size,
            plan=plan,
            layers={name: LAYERS.load(name)(frame) for name in options.layers},
            legend=legend,
        )


def _tags(request: MapRequest, session: Session, scene: Scene) -> dict[str, str]:
    spec, unlike = session.spec, scene.header.unlike
    return {
        **({"GEOSRSEG_UNLIKE": "; ".join(unlike)} if unlike else {}),
        "TIFFTAG_SOFTWARE": f"geosrseg {__version__}",
        "GEOSRSEG_MODEL": f"{spec.name} {spec.version}",
        "GEOSRSEG_MODEL_SHA256": session.sha256,
        "GEOSRSEG_INPUT": scene.header.name,
        "GEOSRSEG_UPSCALE_FACTOR": str(spec.upscale_factor),
        "GEOSRSEG_SEAMS": request.options.windows.seams,
        "GEOSRSEG_LICENCE": spec.licence,
    }


def _check_width(scene: Scene, plan: WindowPlan, memory: int) -> None:
    """Refuse a scene if memory does not suffice to read one strip of windows.

    Otherwise the system would grant the memory, and kill the process when it is used.
    """
    pixels = plan.rows.window_size * plan.cols.length
    needed = pixels * len(scene.band_names) * LEAST_BYTES
    if needed > memory:
        raise SceneError(
            f"{scene.location}: a strip of windows, {plan.cols.length} pixels wide, takes "
            f"{needed / 2**30:.1f} GiB, and {memory / 2**30:.1f} are free: use a smaller "
            "`window_size`, or cut the scene into parts"
        )


def _check_window(session: Session, plan: WindowPlan, batch: int) -> None:
    """Refuse windows that exceed the limits or the memory of the device."""
    height, width = plan.rows.window_size, plan.cols.window_size
    limits, memory = session.limits, session.free_memory()
    if limits.window is not None and max(height, width) > limits.window:
        raise DeviceError(
            f"windows of {width} x {height} pixels: {session.device} takes at most "
            f"{limits.window} of {session.spec.name}: use a smaller "
            "`window_size` or `overlap`"
        )
    if limits.batch is not None and batch > limits.batch:
        raise DeviceError(
            f"`batch` {batch}: {session.device} takes at most {limits.batch} windows at once"
        )
    needed = height * width * session.bytes_per_pixel * LEAST_SHARE
    if needed > memory:
        raise DeviceMemoryError(
            f"a window of {width} x {height} pixels takes {needed / 2**30:.1f} GiB or more, and "
            f"{memory / 2**30:.1f} are free: use a smaller `overlap` or `window_size`"
        )


def _window_size(request: MapRequest, session: Session, scene: Scene) -> int:
    """Return the user's window size, otherwise an interrupted run's, or what memory allows.

    If options decided that run's size, they would be repeated where it is still wanted.
    """
    windows = request.options.windows
    if windows.window_size is not None:
        return windows.window_size
    if not windows.sets_size and request.output is not None:
        stopped = (read_manifest(request.output) or {}).get(WINDOW_SIZE, "")
        number, by_memory, _ = stopped.partition(BY_MEMORY)
        with suppress(ValueError, GeosrsegError):  # no manifest, or that of another scene
            size = parse_integer(number if by_memory else "", low=1, high=MAX_WINDOW)
            plan_scene(scene, session.spec, windows, window_size=size)
            return size
    memory = windows.max_memory or SHARE * session.free_memory()
    return fitting_window_size(
        session.spec,
        pixels=memory / session.bytes_per_pixel / windows.batch,
        seams=windows.seams,
        overlap=windows.overlap,
        largest=session.limits.window,
    )


def _shown(aoi: object) -> str:
    """Return the file name or the type of an area of interest; empty if there is none."""
    if aoi is None:
        return ""
    return Path(aoi).name if isinstance(aoi, str) else type(aoi).__name__
