"""Prediction: a scene and a model in, a class map out, and what else was asked for.

It reads as the product: open model and scene, plan the windows, keep the rows of each band
as they are finished, then write them as Cloud Optimized GeoTIFFs and give those their
names. A run that was stopped goes on at the first band that is not finished.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from geosrseg import __version__
from geosrseg.core.areas import Areas
from geosrseg.core.sr_encoding import SrEncoding
from geosrseg.core.windows import WindowPlan
from geosrseg.errors import OutputError, SceneError, SceneWarning
from geosrseg.pipelines.layers import layer_path, layer_profile
from geosrseg.pipelines.map_rows import predict_rows, sr_encoding
from geosrseg.pipelines.painter import CLASSES, CONFIDENCE, FRACTIONS, SR
from geosrseg.pipelines.products import Products, write_products
from geosrseg.pipelines.scene_plan import Seams, plan_scene
from geosrseg.raster.cog import STALE, check_cog, write_cog
from geosrseg.raster.fingerprint import hash_files, stamp_files
from geosrseg.raster.publication import publish
from geosrseg.raster.row_store import RowStore, open_row_store, was_publishing
from geosrseg.raster.scene import Scene, open_scene
from geosrseg.runtime.session import Session, open_session
from geosrseg.runtime.shipped_models import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a prediction is.

    Attributes:
        windows_done: windows run or skipped, in this run or the one it goes on with.
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
        layers: the file of each layer, the class map's among them.
        model: name and version.
        device: what the model ran on.
        precision: in which it computed.
        windows: windows run.
        skipped: windows without a valid pixel.
        resumed: bands of rows that a stopped run had finished.
        areas: of each class, where they were asked for.
        warnings: what a user should hear about.
    """

    output: Path
    layers: Mapping[str, Path]
    model: str
    device: str
    precision: str
    windows: int
    skipped: int
    resumed: int
    areas: Areas | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """All that is settled before the first window runs.

    Attributes:
        scene: the open scene.
        session: the model.
        plan: the windows.
        layers: what is made, of `painter.LAYERS`.
        paths: the file of each layer.
        tags: what every file says of its making.
        encoding: of the SR image, if that is made.
    """

    scene: Scene
    session: Session
    plan: WindowPlan
    layers: tuple[str, ...]
    paths: Mapping[str, Path]
    tags: Mapping[str, str]
    encoding: SrEncoding | None


def predict(
    scene: str | Path,
    output: str | Path,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    bands: str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    mask: Sequence[str] = (),
    aoi: str | Path | None = None,
    seams: Seams = "blend",
    overlap: int | None = None,
    window_size: int | None = None,
    batch: int = 1,
    confidence: bool = False,
    sr: bool = False,
    fractions: bool = False,
    quicklook: str | Path | None = None,
    areas: str | Path | None = None,
    vector: str | Path | None = None,
    min_area: float | None = None,
    simplify: float | None = None,
    count_areas: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Prediction:
    """Make the class map of a scene.

    Stopped before it has ended, and called again with the same arguments, it goes on
    where it was; the map is the same.

    Args:
        scene: a GeoTIFF, a Landsat product or its STAC item, on this machine or behind a URL;
            see `geosrseg.raster.scene.open_scene`.
        output: the class map, a Cloud Optimized GeoTIFF.
        model: a shipped model's name or an ONNX file.
        device: ``auto``, ``cuda``, ``tensorrt``, ``openvino`` or ``cpu``.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        threads: of the CPU; all by default.
        bands: which band of the scene is which band of the model, when names do not say.
        scale: digital number to reflectance, when the file does not say.
        offset: likewise.
        mask: what else is not valid in a Landsat product: ``cloud``, ``shadow``, ``cirrus``,
            ``snow``.
        aoi: the part that is mapped, "xmin,ymin,xmax,ymax" in the scene's CRS or a file of
            polygons; outside is nodata. Inside, the map is that of the whole scene.
        seams: ``blend`` tapers overlapping windows; ``exact`` gives the labels of running
            the scene in one window, at a higher cost.
        overlap: LR pixels that neighbouring windows share when blended.
        window_size: LR pixels of the largest window.
        batch: windows that are run at once.
        confidence: also write ``OUTPUT.confidence.tif``, how sure each label is.
        sr: also write ``OUTPUT.sr.tif``, the super-resolved image.
        fractions: also write ``OUTPUT.fractions.tif``, the share of each class in each
            pixel of the scene.
        quicklook: also write a PNG of scene and map side by side.
        areas: also write the area of each class as CSV.
        vector: also write the map's polygons: ``.gpkg``, ``.fgb``, ``.geojson`` or
            ``.parquet``.
        min_area: square metres; a smaller polygon goes to its largest neighbour.
        simplify: tolerance of the polygons' borders, in units of the CRS.
        count_areas: count the areas even if no file of them is asked for.
        overwrite: replace existing outputs, and begin anew where a stopped run had other
            arguments.
        on_progress: called before the first window and after each one.

    Warns:
        SceneWarning: something about the scene was taken for granted.

    Raises:
        GeosrsegError: scene, model, device or output do not do; see `geosrseg.errors`.
    """
    output = Path(output)
    wanted = {CLASSES: True, CONFIDENCE: confidence, SR: sr, FRACTIONS: fractions}
    paths = {name: layer_path(output, name) for name, want in wanted.items() if want}
    products = Products(
        quicklook=_path(quicklook),
        areas=_path(areas),
        vector=_path(vector),
        min_area=min_area,
        simplify=simplify,
        count_areas=count_areas,
    )
    replace = overwrite or was_publishing(output)
    _check_outputs(paths, products, overwrite=replace)
    with ExitStack() as stack:
        session = stack.enter_context(
            open_session(model, device=device, precision=precision, threads=threads)
        )
        spec = session.spec
        source = stack.enter_context(
            open_scene(
                scene,
                model_bands=spec.bands,
                bands=bands,
                scale=scale,
                offset=offset,
                mask=mask,
                aoi=aoi,
            )
        )
        inputs = source.header.local_paths
        _check_apart(inputs, [*paths.values(), *products.files()])
        for text in source.warnings:
            warnings.warn(text, SceneWarning, stacklevel=2)
        products.check_grid(source.grid)
        job = _Job(
            scene=source,
            session=session,
            plan=plan_scene(source, spec, seams=seams, overlap=overlap, window_size=window_size),
            layers=tuple(paths),
            paths=paths,
            tags=_tags(session, source, seams),
            encoding=sr_encoding(source, spec) if sr else None,
        )
        stamps = stamp_files(inputs)
        store = stack.enter_context(open_row_store(output, _manifest(job), overwrite=overwrite))
        counter = _Counter(job.plan, on_progress, spec.upscale_factor, bands_done=len(store))
        resumed = len(store)
        _run(job, store, counter, batch=batch)
        if stamp_files(inputs) != stamps:
            store.remove()
            raise SceneError(f"{source.location}: changed while it was read: run it again")
        _publish(job, store)
        measured = write_products(products, paths, scene=source, spec=spec, overwrite=replace)
        store.remove()
        return Prediction(
            output=output,
            layers=paths,
            model=f"{spec.name} {spec.version}",
            device=session.device,
            precision=session.precision,
            windows=counter.run,
            skipped=counter.skipped,
            resumed=resumed,
            areas=measured,
            warnings=source.warnings,
        )


def _path(name: str | Path | None) -> Path | None:
    return None if name is None else Path(name)


def _check_outputs(paths: Mapping[str, Path], products: Products, *, overwrite: bool) -> None:
    """Refuse before hours of work what would be refused after them."""
    for path in paths.values():
        check_cog(path, overwrite=overwrite)
    products.check(paths[CLASSES], overwrite=overwrite)


def _check_apart(inputs: Sequence[Path], outputs: Sequence[Path]) -> None:
    for path in outputs:
        if path.exists() and any(path.samefile(file) for file in inputs):
            raise OutputError(f"{path}: is the scene itself: choose another name")


def _run(job: _Job, store: RowStore, counter: "_Counter", *, batch: int) -> None:
    """Keep the rows of every band that the store does not have."""
    if len(store) == len(job.plan.rows.starts):
        return
    with closing(
        predict_rows(
            job.scene,
            job.session,
            job.plan,
            layers=job.layers,
            batch=batch,
            first_band=len(store),
            on_window=counter.count,
        )
    ) as all_rows:
        for rows in all_rows:
            store.append(rows)


def _publish(job: _Job, store: RowStore) -> None:
    """Write every layer, and give all of them their names once all are right."""
    drafts: dict[str, Sequence[Path]] = {}
    for layer, path in job.paths.items():
        profile = layer_profile(
            layer,
            job.session.spec,
            source_grid=job.scene.grid,
            encoding=job.encoding,
            halo=job.plan.rows.halo,
            tags=job.tags,
        )
        drafts[layer] = write_cog(store.folder, path, profile, store.rows(layer))
    store.start_publishing()
    for layer, path in job.paths.items():
        publish(drafts[layer], path, stale=STALE)


def _tags(session: Session, scene: Scene, seams: Seams) -> dict[str, str]:
    """What the map says of its own making."""
    spec = session.spec
    return {
        "TIFFTAG_SOFTWARE": f"geosrseg {__version__}",
        "GEOSRSEG_MODEL": f"{spec.name} {spec.version}",
        "GEOSRSEG_MODEL_SHA256": session.sha256,
        "GEOSRSEG_INPUT": scene.location.name,
        "GEOSRSEG_UPSCALE_FACTOR": str(spec.upscale_factor),
        "GEOSRSEG_SEAMS": seams,
        "GEOSRSEG_LICENCE": spec.licence,
    }


def _manifest(job: _Job) -> dict[str, str]:
    """All that decides what the map is, as text by name."""
    header, plan = job.scene.header, job.plan
    return {
        "version": __version__,
        "model": job.session.sha256,
        "device": job.session.device,
        "precision": job.session.precision,
        "scene": f"{header.location.name} ({hash_files(header.local_paths)})",
        # What is remote is taken to be the same under the same address.
        "addresses": ", ".join(str(place) for place in header.locations if place.is_remote),
        "bands": str([file.selection.indexes for file in header.files]),
        "quality": str([flags.bits for flags in header.quality]),
        "aoi": header.aoi.digest if header.aoi else "all",
        "radiometry": f"{header.radiometry.scale} {header.radiometry.offset}",
        "windows": f"{plan.rows.window_size} x {plan.cols.window_size}",
        "halo": str(plan.rows.halo),
        "ramp": str(plan.rows.ramp),
        "layers": ", ".join(job.layers),
    }


class _Counter:
    """Counts windows and reports progress."""

    def __init__(
        self,
        plan: WindowPlan,
        on_progress: Callable[[Progress], None],
        factor: int,
        *,
        bands_done: int,
    ) -> None:
        self.run = 0
        self.skipped = 0
        self._before = bands_done * len(plan.cols.starts)
        self._total = len(plan)
        self._pixels = plan.rows.length * plan.cols.length * factor**2 / len(plan)
        self._report = on_progress
        self._report(Progress(self._before, self._total, self._pixels))

    def count(self, usable: bool) -> None:
        self.run += usable
        self.skipped += not usable
        done = min(self._before + self.run + self.skipped, self._total)
        self._report(Progress(done, self._total, self._pixels))
