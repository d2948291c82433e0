"""Prediction: a scene and a model in, a class map out, and what else was asked for.

It reads as the product: open model and scene, plan the windows, keep the rows of each band
as they are finished, then write them as Cloud Optimized GeoTIFFs and give those their
names. A run that was stopped goes on at the first band that is not finished.
"""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from geosrseg.errors import SceneError, SceneWarning
from geosrseg.mapping.map_job import MapJob, open_job
from geosrseg.mapping.map_judgement import MapCounts
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.map_rows import predict_rows
from geosrseg.mapping.output_names import default_output
from geosrseg.mapping.scene_plan import Seams
from geosrseg.mapping.summary import LabelCounter, MapSummary
from geosrseg.products.areas import Areas
from geosrseg.products.products import Products, write_products
from geosrseg.raster.files.fingerprint import stamp_files
from geosrseg.raster.files.publication import publish
from geosrseg.raster.maps.cog import STALE, write_cog
from geosrseg.raster.maps.layers import CLASSES, CONFIDENCE
from geosrseg.raster.maps.row_store import RowStore, open_row_store
from geosrseg.raster.scene import MAX_PIXELS
from geosrseg.runtime.session import Session, open_session
from geosrseg.runtime.shipped_models import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a prediction is.

    Attributes:
        windows_done: windows run or skipped, in this run or the one it goes on with.
        windows_total: windows of the scene.
        resumed: of those done, the windows that a stopped run had finished.
        target_pixels: pixels of the class map that a window stands for, on average.
    """

    windows_done: int
    windows_total: int
    resumed: int
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
        bad_blocks: blocks of the scene that this run met and could not decode.
        summary: what the map holds, in shares.
        network_seconds: spent inside the network; reading, blending and writing go on meanwhile.
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
    bad_blocks: int
    summary: MapSummary
    network_seconds: float
    warnings: tuple[str, ...]


def predict(
    scene: str | Path,
    output: str | Path | None = None,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    bands: str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    nodata: Sequence[float] = (),
    mask: Sequence[str] = (),
    aoi: str | Path | None = None,
    any_resolution: bool = False,
    seams: Seams = "blend",
    overlap: int | None = None,
    window_size: int | None = None,
    batch: int = 1,
    max_memory: int | None = None,
    confidence: bool = False,
    sr: bool = False,
    fractions: bool = False,
    quicklook: str | Path | None = None,
    areas: str | Path | None = None,
    report: str | Path | None = None,
    stac: str | Path | None = None,
    vector: str | Path | None = None,
    min_area: float | None = None,
    simplify: float | None = None,
    count_areas: bool = False,
    max_pixels: int = MAX_PIXELS,
    skip_bad_blocks: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Prediction:
    """Make the class map of a scene.

    Stopped before it has ended, and called again with the same arguments, it goes on
    where it was; the map is the same.

    Args:
        scene: a GeoTIFF, a Landsat product or its STAC item, on this machine or behind a URL;
            see `geosrseg.raster.scene.open_scene`.
        output: the class map, a Cloud Optimized GeoTIFF; by default `default_output`.
        model: a shipped model's name or an ONNX file.
        device: ``auto``, ``cuda``, ``tensorrt``, ``openvino`` or ``cpu``.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        threads: of the CPU; all by default.
        bands: which band of the scene is which band of the model, when names do not say.
        scale: digital number to reflectance, when the file does not say.
        offset: likewise.
        nodata: digital numbers that mark missing pixels, besides what the scene declares.
        mask: what else is not valid in a Landsat product: ``cloud``, ``shadow``, ``cirrus``,
            ``snow``.
        aoi: the part that is mapped, "xmin,ymin,xmax,ymax" in the scene's CRS or a file of
            polygons; outside is nodata. Inside, the map is that of the whole scene.
        any_resolution: take a scene whose pixels have a size that the model is not meant for.
        seams: ``blend`` tapers overlapping windows; ``exact`` gives the labels of running
            the scene in one window, at a higher cost.
        overlap: LR pixels that neighbouring windows share when blended.
        window_size: LR pixels of the largest window; what memory allows, within reason,
            unless given.
        batch: windows that are run at once.
        max_memory: bytes that the network may take; half of what is free unless given.
        confidence: also write ``OUTPUT.confidence.tif``, how sure each label is.
        sr: also write ``OUTPUT.sr.tif``, the super-resolved image.
        fractions: also write ``OUTPUT.fractions.tif``, the share of each class in each
            pixel of the scene.
        quicklook: also write a PNG of scene and map side by side.
        areas: also write the area of each class as CSV.
        report: also write an HTML page to look at: swipe, zoom, legend and areas.
        stac: also write a STAC item of the map and all its files.
        vector: also write the map's polygons: ``.gpkg``, ``.fgb``, ``.geojson`` or
            ``.parquet``.
        min_area: square metres; a smaller polygon goes to its largest neighbour.
        simplify: tolerance of the polygons' borders, in units of the CRS.
        count_areas: count the areas even if no file of them is asked for.
        max_pixels: a scene that declares more is refused before anything is allocated.
        skip_bad_blocks: make blocks of the scene that cannot be decoded nodata, rather than
            fail.
        overwrite: replace existing outputs, and begin anew where a stopped run had other
            arguments.
        on_progress: called before the first window and after each one.

    Warns:
        SceneWarning: something about the scene was taken for granted.

    Raises:
        GeosrsegError: scene, model, device or output do not do; see `geosrseg.errors`.
    """
    request = MapRequest(
        scene=scene,
        output=default_output(scene) if output is None else Path(output),
        bands=bands,
        scale=scale,
        offset=offset,
        nodata=tuple(nodata),
        mask=tuple(mask),
        aoi=aoi,
        any_resolution=any_resolution,
        seams=seams,
        overlap=overlap,
        window_size=window_size,
        batch=batch,
        max_memory=max_memory,
        confidence=confidence,
        sr=sr,
        fractions=fractions,
        max_pixels=max_pixels,
        skip_bad_blocks=skip_bad_blocks,
        products=Products(
            quicklook=_path(quicklook),
            areas=_path(areas),
            report=_path(report),
            stac=_path(stac),
            vector=_path(vector),
            min_area=min_area,
            simplify=simplify,
            count_areas=count_areas,
        ),
    )
    request.check_outputs(overwrite=overwrite)
    with open_session(model, device=device, precision=precision, threads=threads) as session:
        return make_map(request, session, overwrite=overwrite, on_progress=on_progress)


def make_map(
    request: MapRequest,
    session: Session,
    *,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Prediction:
    """Make the map of a request on an open session; see `predict`."""
    request.check_outputs(overwrite=overwrite)
    started, seconds_before = time.monotonic(), session.seconds
    with open_job(request, session) as job:
        inputs = job.scene.header.local_paths
        for text in job.scene.warnings:
            warnings.warn(text, SceneWarning, stacklevel=3)
        said = len(job.scene.warnings)
        stamps = stamp_files(inputs)
        with open_row_store(
            request.output, job.manifest(), layout=job.row_layout(), overwrite=overwrite
        ) as store:
            request.check_outputs(overwrite=overwrite, own=store.noted)
            resumed = len(store)
            counter = _Counter(job, on_progress, strips_done=resumed)
            counts = _keep_rows(job, store, counter)
            if stamp_files(inputs) != stamps:
                store.remove()
                raise SceneError(f"{job.scene.location}: changed while it was read: run it again")
            job.scene.add_unlike(counts.unlike(session.spec))
            for text in job.scene.warnings[said:]:
                warnings.warn(text, SceneWarning, stacklevel=3)
            labels = _publish(job, store, overwrite=overwrite)
            areas = write_products(
                request.products,
                request.paths,
                scene=job.scene,
                spec=session.spec,
                tags=job.tags(),
                options=job.options(),
                overwrite=True,  # what may not be replaced was refused above
            )
            store.remove()
        summary = labels.summary(job.scene, session.spec.legend, seconds=time.monotonic() - started)
        late = tuple(filter(None, (job.scene.bad_blocks.warning, summary.warning)))
        for text in late:
            warnings.warn(text, SceneWarning, stacklevel=3)
        return Prediction(
            output=request.output,
            layers=request.paths,
            model=f"{session.spec.name} {session.spec.version}",
            device=session.device,
            precision=session.precision,
            windows=counter.run,
            skipped=counter.skipped,
            resumed=resumed,
            areas=areas,
            bad_blocks=len(job.scene.bad_blocks),
            summary=summary,
            network_seconds=session.seconds - seconds_before,
            warnings=(*job.scene.warnings, *late),
        )


def _path(name: str | Path | None) -> Path | None:
    return None if name is None else Path(name)


def _keep_rows(job: MapJob, store: RowStore, counter: "_Counter") -> MapCounts:
    """Keep the rows of every band that the store does not have, and count all."""
    counts = MapCounts()
    for layer in {CLASSES, CONFIDENCE} & {*job.request.layers}:
        for kept in store.rows(layer):
            counts.add({layer: kept})
    if len(store) == len(job.plan.rows.starts):
        return counts
    with closing(
        predict_rows(
            job.scene,
            job.session,
            job.plan,
            layers=job.request.layers,
            batch=job.request.batch,
            first_band=len(store),
            on_window=counter.count,
        )
    ) as all_rows:
        for rows in all_rows:
            store.append(rows)
            counts.add(rows)
    return counts


def _publish(job: MapJob, store: RowStore, *, overwrite: bool) -> LabelCounter:
    """Write every layer, and give all of them their names once all are right."""
    paths, labels = job.request.paths, LabelCounter()
    drafts = {}
    for layer, path in paths.items():
        rows = store.rows(layer)
        rows = labels.counted(rows) if layer == CLASSES else rows
        drafts[layer] = write_cog(store.folder, path, job.profile(layer), rows)
    # Meanwhile, somebody may have put something there.
    job.request.check_outputs(overwrite=overwrite, own=store.noted)
    store.start_publishing(job.request.files())
    for layer, path in paths.items():
        publish(drafts[layer], path, stale=STALE)
    return labels


class _Counter:
    """Counts windows and reports progress."""

    def __init__(
        self, job: MapJob, on_progress: Callable[[Progress], None], *, strips_done: int
    ) -> None:
        plan, factor = job.plan, job.session.spec.upscale_factor
        self.run = 0
        self.skipped = 0
        # Strips that reach into the first one that is missing are run again.
        whole = strips_done == len(plan.rows.starts)
        first = strips_done if whole else plan.rows.first_before(strips_done)
        self._before = first * len(plan.cols.starts)
        self._total = len(plan)
        self._pixels = plan.rows.length * plan.cols.length * factor**2 / len(plan)
        self._report = on_progress
        self._report(Progress(self._before, self._total, self._before, self._pixels))

    def count(self, usable: bool) -> None:
        self.run += usable
        self.skipped += not usable
        done = self._before + self.run + self.skipped
        self._report(Progress(done, self._total, self._before, self._pixels))
