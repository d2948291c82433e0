"""Makes the map of a request: runs the windows and writes the files.

The steps: open the scene, plan the windows, store the rows of each strip as they are finished,
write them as Cloud Optimized GeoTIFFs, publish these, and make the product files from them.
An interrupted run resumes with the unfinished strips, and several workers may each make a part
of the strips.
"""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from geosrseg.errors import OutputError, SceneError, SceneWarning
from geosrseg.mapping.layers.layers import CLASSES, CONFIDENCE
from geosrseg.mapping.map_job import MapJob, open_job
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.map_rows import predict_rows
from geosrseg.mapping.painter import Rows
from geosrseg.mapping.planning.map_judgement import MapCounts
from geosrseg.mapping.prediction import OnProgress, Prediction, WindowCounter
from geosrseg.mapping.summary import LabelCounter
from geosrseg.products.areas import Areas
from geosrseg.products.asset import MapFile
from geosrseg.products.product_file import FinishedMap
from geosrseg.products.writing import (
    left_over,
    map_contents,
    write_products,
    write_ramp_style,
    write_styles,
)
from geosrseg.raster.files.fingerprint import Stamp, stamp_files
from geosrseg.raster.maps.cog import STALE, write_cog
from geosrseg.raster.maps.row_store import RowStore, join_row_store, open_row_store
from geosrseg.raster.storage.publication import publish
from geosrseg.runtime.session import Session


@dataclass(frozen=True, slots=True)
class PartResult:
    """Result of making a part of a map.

    Attributes:
        windows: number of windows run.
        waits_for: the parts still unfinished; empty if the map can now be made.
    """

    windows: int
    waits_for: tuple[int, ...]


def warn(text: str) -> None:
    """Issue a `SceneWarning`."""
    warnings.warn(text, SceneWarning, stacklevel=4)


def make_map(
    request: MapRequest,
    session: Session,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = lambda _: None,
    may_halve: bool = True,
    turn: AbstractContextManager[object] | None = None,
    on_warning: Callable[[str], None] = warn,
    publishing: AbstractContextManager[object] | None = None,
) -> Prediction:
    """Make the map of a request whose outputs have been checked.

    Args:
        request: the map to make; must have an output.
        overwrite: replace the stored rows of an interrupted run with other options.
        on_progress: called at the start of each phase and after each window.
        may_halve: if memory runs out, run windows in parts, which changes a few labels.
        turn: held while windows run, so that another map can be written meanwhile.
        on_warning: called with each warning.
        publishing: held from before the first output gets its name until all are written. The
            stored rows outlive it: they prove that outputs of a killed process are its own.

    Warns:
        SceneWarning: for each warning, unless `on_warning` is given.

    Raises:
        GeosrsegError: the scene, the device or an output is unusable.
    """
    output = request.output
    if output is None:
        raise ValueError("a map needs an output")
    started, seconds_before = time.monotonic(), session.seconds
    with open_job(request, session) as job:
        inputs = job.scene.header.local_paths
        for text in job.scene.warnings:
            on_warning(text)
        said = len(job.scene.warnings)
        stamps = stamp_files(inputs)
        with open_row_store(
            output, job.manifest(), layout=job.row_layout(), overwrite=overwrite
        ) as store:
            request.check_outputs(overwrite=overwrite, own=store.noted)
            _take_over_bad_blocks(job, store, overwrite=overwrite)
            resumed = len(store)
            counts = _count_kept(job, store)
            counter = WindowCounter(
                job.plan,
                on_progress,
                store.missing,
                total=len(job.plan),
                factor=session.spec.upscale_factor,
            )
            with turn or nullcontext():
                _keep_rows(job, store, counter, may_halve=may_halve, on_rows=counts.add)
            _check_unchanged(job, store, stamps)
            job.scene.add_unlike(counts.unlike(job.legend.spec))
            for text in job.scene.warnings[said:]:
                on_warning(text)
            before = map_contents(output)
            labels, drafts = _write_layers(job, store, counter)
            # Another program may have written files there meanwhile.
            request.check_outputs(overwrite=overwrite, own=store.noted)
            with publishing or nullcontext():
                _publish(job, store, drafts)
                left = left_over(
                    output,
                    before=before,
                    made=[*request.files, *inputs],
                    layers=request.other_layers,
                )
                counter.enter("writing")
                areas = _write_products(job)
            store.remove()
        summary = labels.summary(
            job.mapped,
            job.legend.spec.legend,
            ignoring=job.legend.ignoring,
            factor=session.spec.upscale_factor,
            seconds=time.monotonic() - started,
        )
        late = tuple(filter(None, (job.scene.bad_blocks.warning, summary.warning, left)))
        for text in late:
            on_warning(text)
        return Prediction(
            output=output,
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


def make_part(
    request: MapRequest,
    session: Session,
    part: tuple[int, int],
    *,
    overwrite: bool = False,
    on_progress: OnProgress = lambda _: None,
    turn: AbstractContextManager[object] | None = None,
    on_warning: Callable[[str], None] = warn,
) -> PartResult:
    """Store the rows of a part of a map. When all parts are stored, any worker makes the map.

    Several processes may do this at once, even for the same part. The rows equal those of a
    single process: windows above a part that reach into it are run too.

    Args:
        request: see `make_map`; its output is in a folder that all workers share.
        part: (i, k): the i-th of k parts, i from 1.
        overwrite: replace the stored rows of an interrupted run with other options.
        on_progress, turn: see `make_map`.
        on_warning: called with warnings that need the pixels of the part.

    Raises:
        GeosrsegError: the scene, the device or an output is unusable.
    """
    output = request.output
    if output is None:
        raise ValueError("a map needs an output")
    with open_job(request, session) as job:
        stamps = stamp_files(job.scene.header.local_paths)
        strips = job.plan.rows.share(*part)
        store = join_row_store(
            output, job.manifest(), strips, layout=job.row_layout(), overwrite=overwrite
        )
        _take_over_bad_blocks(job, store, overwrite=overwrite)
        counter = WindowCounter(
            job.plan,
            on_progress,
            store.missing,
            total=job.plan.windows_of([strips]),
            factor=session.spec.upscale_factor,
        )

        def check(_: Rows) -> None:
            _check_unchanged(job, store, stamps)

        with turn or nullcontext():
            _keep_rows(job, store, counter, may_halve=False, on_rows=check)
        if text := job.scene.bad_blocks.warning:
            on_warning(text)
        absent = set(store.absent())
        shares = ((k, job.plan.rows.share(k, part[1])) for k in range(1, part[1] + 1))
        waits_for = tuple(k for k, share in shares if not absent.isdisjoint(share))
        return PartResult(windows=counter.run, waits_for=waits_for)


def _take_over_bad_blocks(job: MapJob, store: RowStore, *, overwrite: bool) -> None:
    """Count the blocks that a stopped run left out, where this run may leave them out too.

    A run that failed at such a block may resume with `skip_bad_blocks`: it is not in the manifest.

    Raises:
        OutputError: this run may not, and must not overwrite the rows.
    """
    left_out = store.bad_blocks
    if not left_out or job.scene.bad_blocks.skip:
        job.scene.bad_blocks.add(left_out)
    elif overwrite:
        store.forget()
    else:
        raise OutputError(
            f"{job.request.output}: a stopped run left out {left_out[0]}: repeat "
            "`skip_bad_blocks=True` to resume it, or start again with `overwrite=True`"
        )


def _check_unchanged(job: MapJob, store: RowStore, stamps: Sequence[Stamp]) -> None:
    """Refuse a scene that changed since the first window, and remove the stored rows.

    Args:
        stamps: stamps of the scene's files before the first window.
    """
    if stamp_files(job.scene.header.local_paths) != stamps:
        store.remove()
        raise SceneError(f"{job.scene.location}: changed while it was read: run it again")


def _write_products(job: MapJob) -> Areas | None:
    """Write styles and product files; return the areas if they were counted."""
    paths = job.request.paths
    finished = FinishedMap(
        legend=job.legend.spec.legend,
        scene=job.mapped,
        spec=job.legend.spec,
        files={name: MapFile(path, job.layers[name].asset) for name, path in paths.items()},
        tags=job.tags,
        options=job.options(),
        title=job.request.options.products.title,
    )
    for name, layer in job.layers.items():
        if layer.styled:
            write_styles(finished, name)
        elif layer.ramp is not None:
            write_ramp_style(finished, name, layer.ramp)
    write_products(job.request.options.products, finished)
    return finished.counted_areas


def _count_kept(job: MapJob, store: RowStore) -> MapCounts:
    """Count the values of the rows in the store."""
    counts = MapCounts()
    for layer in {CLASSES, CONFIDENCE} & job.layers.keys():
        for kept in store.rows(layer):
            counts.add({layer: kept})
    return counts


def _keep_rows(
    job: MapJob,
    store: RowStore,
    counter: WindowCounter,
    *,
    may_halve: bool,
    on_rows: Callable[[Rows], object],
) -> None:
    """Make and store the rows of every missing strip."""
    for strips in store.missing:
        with closing(
            predict_rows(
                job,
                strips=strips,
                may_halve=may_halve,
                on_read=lambda: counter.enter("network"),
                on_window=counter.count,
            )
        ) as all_rows:
            for index, rows in zip(strips, all_rows, strict=True):
                on_rows(rows)
                store.keep(index, rows, bad_blocks=job.scene.bad_blocks.found)


def _write_layers(
    job: MapJob, store: RowStore, counter: WindowCounter
) -> tuple[LabelCounter, dict[Path, list[Path]]]:
    """Write every layer to a draft and verify it; return the drafts by the layer's path."""
    paths, labels = job.request.paths, LabelCounter()
    drafts = {}
    for layer, path in paths.items():
        rows = store.rows(layer)
        rows = labels.counted(rows) if layer == CLASSES else rows
        # How the scene differs from the model's training data is known only now.
        profile, title = job.layers[layer].profile(), job.layers[layer].asset.title
        tags = {"TIFFTAG_IMAGEDESCRIPTION": title, **profile.tags, **job.tags}
        profile = replace(profile, tags=tags)
        counter.enter("writing")
        drafts[path] = write_cog(
            store.folder, path, profile, rows, on_check=lambda: counter.enter("checking")
        )
    return labels, drafts


def _publish(job: MapJob, store: RowStore, drafts: Mapping[Path, Sequence[Path]]) -> None:
    """Give the layers their names."""
    store.start_publishing(job.request.files)
    for path, files in drafts.items():
        publish(files, path, stale=STALE)
