"""Prediction: a scene and a model in, a class map out.

A scene is worked through in bands: the rows that one row of windows needs. A band is
read and normalized once, its windows run, and the rows that no later band touches are
written. Memory holds one band, never the map.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from geosrseg import __version__
from geosrseg.core.blending import RowBlender
from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import normalize_bands
from geosrseg.core.padding import pad_to_window
from geosrseg.core.spec import ModelSpec
from geosrseg.core.windows import Window, WindowPlan, plan_windows, round_up
from geosrseg.errors import GeosrsegError, OutputError, SceneError, SceneWarning
from geosrseg.raster.class_map import open_class_map
from geosrseg.raster.publication import check_output, open_drafts
from geosrseg.raster.quicklook import SUFFIXES as PICTURE_SUFFIXES
from geosrseg.raster.quicklook import write_quicklook
from geosrseg.raster.scene import Scene, open_scene
from geosrseg.runtime.session import Session, open_session
from geosrseg.runtime.shipped_models import DEFAULT_MODEL

Seams = Literal["blend", "exact"]

LONGEST_SIDE = 2**22
"""Pixels of a map along its longer side; memory grows with its width."""

EXACT_STRIDE = 4
"""With exact seams a window is at least this many times as large as its halo."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a prediction is.

    Attributes:
        windows_done: windows run or skipped.
        windows_total: windows of the scene.
        target_pixels: pixels of the class map that a window stands for, on average.
    """

    windows_done: int
    windows_total: int
    target_pixels: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What was done.

    Attributes:
        output: the class map.
        model: name and version.
        device: what the model ran on.
        windows: windows run.
        skipped: windows without a valid pixel.
        warnings: what a user should hear about.
    """

    output: Path
    model: str
    device: str
    windows: int
    skipped: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A band of rows of a scene, as the network gets it.

    Attributes:
        inputs: (bands, height, padded width) normalized reflectance.
        valid: (height, padded width), False in the padding.
    """

    inputs: NDArray[np.float32]
    valid: NDArray[np.bool_]


def predict(
    scene: str | Path,
    output: str | Path,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    threads: int | None = None,
    bands: str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    seams: Seams = "blend",
    overlap: int | None = None,
    window_size: int | None = None,
    quicklook: str | Path | None = None,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Prediction:
    """Make the class map of a scene.

    Args:
        scene: a GeoTIFF.
        output: the class map, a Cloud Optimized GeoTIFF.
        model: a shipped model's name or an ONNX file.
        device: ``auto``, ``cuda`` or ``cpu``.
        threads: of the CPU; all by default.
        bands: which band of the scene is which band of the model, when names do not say.
        scale: digital number to reflectance, when the file does not say.
        offset: likewise.
        seams: ``blend`` tapers overlapping windows; ``exact`` gives the labels of running
            the scene in one window, at a higher cost.
        overlap: LR pixels that neighbouring windows share when blended.
        window_size: LR pixels of the largest window.
        quicklook: also write a PNG of scene and map side by side.
        overwrite: replace existing outputs.
        on_progress: called before the first window and after each one.

    Warns:
        SceneWarning: something about the scene was taken for granted.

    Raises:
        GeosrsegError: scene, model, device or output do not do; see `geosrseg.errors`.
    """
    scene, output = Path(scene), Path(output)
    _check_outputs(scene, output, quicklook=quicklook, overwrite=overwrite)
    with ExitStack() as stack:
        session = stack.enter_context(open_session(model, device=device, threads=threads))
        spec = session.spec
        source = stack.enter_context(
            open_scene(scene, model_bands=spec.bands, bands=bands, scale=scale, offset=offset)
        )
        for text in source.warnings:
            warnings.warn(text, SceneWarning, stacklevel=2)
        plan = plan_scene(source, spec, seams=seams, overlap=overlap, window_size=window_size)
        counter = _Counter(plan, on_progress, spec.upscale_factor)
        with open_class_map(
            output,
            grid=source.grid.refined(spec.upscale_factor),
            legend=spec.legend,
            tags=_tags(session, source, seams),
            overwrite=overwrite,
        ) as class_map:
            for labels in predict_rows(source, session, plan, on_window=counter.count):
                class_map.write_rows(labels)
        if quicklook is not None:
            write_quicklook(
                quicklook,
                scene=source,
                class_map_path=output,
                legend=spec.legend,
                overwrite=overwrite,
            )
        return Prediction(
            output=output,
            model=f"{spec.name} {spec.version}",
            device=session.device,
            windows=counter.run,
            skipped=counter.skipped,
            warnings=source.warnings,
        )


def plan_scene(
    scene: Scene,
    spec: ModelSpec,
    *,
    seams: Seams = "blend",
    overlap: int | None = None,
    window_size: int | None = None,
) -> WindowPlan:
    """The windows of a scene, see `predict` for the arguments.

    Of the overlap the ramp takes one multiple of the model, the rest is halo on either side:
    at equal cost a wide halo leaves fewer seams than a wide ramp.

    Raises:
        GeosrsegError: the windows are too small for their overlap.
    """
    if seams not in get_args(Seams):
        raise GeosrsegError(f"seams {seams!r}: expected one of {', '.join(get_args(Seams))}")
    if seams == "exact" and overlap is not None:
        raise GeosrsegError("exact seams need the overlap that the model says: leave --overlap out")
    if seams == "exact":
        halo, ramp = _exact_halo(spec), 0
        default = max(spec.window_size, round_up(EXACT_STRIDE * halo, spec.multiple))
    else:
        ramp = spec.multiple if overlap is None else min(spec.multiple, overlap)
        halo = spec.halo if overlap is None else (overlap - ramp) // 2
        default = spec.window_size
    longest = max(scene.grid.height, scene.grid.width) * spec.upscale_factor
    if longest > LONGEST_SIDE:
        raise SceneError(
            f"{scene.path}: the map would be {longest} pixels long, expected at most "
            f"{LONGEST_SIDE}: cut the scene into parts"
        )
    try:
        return plan_windows(
            scene.grid.height,
            scene.grid.width,
            window_size=default if window_size is None else window_size,
            halo=halo,
            ramp=ramp,
            multiple=spec.multiple,
        )
    except ValueError as error:
        raise GeosrsegError(f"--window or --overlap does not do: {error}") from error


def _exact_halo(spec: ModelSpec) -> int:
    if spec.exact_halo is None:
        raise GeosrsegError(
            f"exact seams: {spec.name} looks at its whole window, so no overlap makes seams "
            "exact, use --seams blend"
        )
    return spec.exact_halo


def predict_rows(
    scene: Scene,
    session: Session,
    plan: WindowPlan,
    *,
    on_window: Callable[[bool], None] = lambda _: None,
) -> Iterator[NDArray[np.uint8]]:
    """The rows of the class map from top to bottom, as they are finished.

    Args:
        scene: the scene.
        session: the model.
        plan: the windows.
        on_window: called for each window, with False if it had no valid pixel.

    Yields:
        (rows, width) class ids or NODATA, on the target grid.
    """
    spec = session.spec
    blender = RowBlender(plan, factor=spec.upscale_factor, classes=len(spec.legend))
    ids = spec.legend.id_table()
    for index in range(len(plan.rows.starts)):
        windows = plan.band(index)
        band = read_band(scene, windows[0], plan.cols.length, spec)
        for window in windows:
            usable = bool(band.valid[:, window.cols].any())
            if usable:
                lr = np.ascontiguousarray(band.inputs[None, :, :, window.cols])
                blender.add(window, session.run(lr)[0])
            on_window(usable)
        labels = ids[blender.finish(index)]
        yield _masked(labels, band, scene, plan, index, spec.upscale_factor)


def read_band(scene: Scene, window: Window, padded_width: int, spec: ModelSpec) -> Band:
    """Read and normalize the rows of a window over the scene's whole width."""
    grid = scene.grid
    wide = Window(window.row_off, 0, window.height, padded_width)
    numbers, valid = scene.read(wide.clipped(grid.height, grid.width))
    inputs = normalize_bands(
        numbers, valid, radiometry=scene.radiometry, normalization=spec.normalization
    )
    padded = np.zeros((wide.height, wide.width), np.bool_)
    padded[: valid.shape[0], : valid.shape[1]] = valid
    return Band(pad_to_window(inputs, wide), padded)


def _masked(
    labels: NDArray[np.uint8],
    band: Band,
    scene: Scene,
    plan: WindowPlan,
    index: int,
    factor: int,
) -> NDArray[np.uint8]:
    """Labels without the padding, NODATA where the source pixel is not valid."""
    top, bottom = plan.rows.cores[index]
    rows = min(bottom, scene.grid.height) - top
    first = top - plan.rows.starts[index]
    valid = band.valid[first : first + rows, : scene.grid.width]
    labels = labels[: rows * factor, : scene.grid.width * factor]
    blocks = labels.reshape(rows, factor, scene.grid.width, factor)
    return np.where(valid[:, None, :, None], blocks, np.uint8(NODATA)).reshape(labels.shape)


def _check_outputs(
    scene: Path, output: Path, *, quicklook: str | Path | None, overwrite: bool
) -> None:
    """Refuse before hours of work what would be refused after them."""
    if scene.exists() and output.exists() and scene.samefile(output):
        raise OutputError(f"{output}: is the scene itself: choose another name")
    if quicklook is not None:
        check_output(Path(quicklook), suffixes=PICTURE_SUFFIXES, overwrite=overwrite)
        with open_drafts(Path(quicklook)):
            pass  # its folder can be written


def _tags(session: Session, scene: Scene, seams: Seams) -> dict[str, str]:
    """What the map says of its own making."""
    spec = session.spec
    return {
        "TIFFTAG_SOFTWARE": f"geosrseg {__version__}",
        "GEOSRSEG_MODEL": f"{spec.name} {spec.version}",
        "GEOSRSEG_MODEL_SHA256": session.sha256,
        "GEOSRSEG_INPUT": scene.path.name,
        "GEOSRSEG_UPSCALE_FACTOR": str(spec.upscale_factor),
        "GEOSRSEG_SEAMS": seams,
        "GEOSRSEG_LICENCE": spec.licence,
    }


class _Counter:
    """Counts windows and reports progress."""

    def __init__(
        self, plan: WindowPlan, on_progress: Callable[[Progress], None], factor: int
    ) -> None:
        self.run = 0
        self.skipped = 0
        self._total = len(plan)
        self._pixels = plan.rows.length * plan.cols.length * factor**2 / len(plan)
        self._report = on_progress
        self._report(Progress(0, self._total, self._pixels))

    def count(self, usable: bool) -> None:
        self.run += usable
        self.skipped += not usable
        self._report(Progress(self.run + self.skipped, self._total, self._pixels))
