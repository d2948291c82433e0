"""Making a map: the windows of a request are run, and its files written.

It reads as the product: open the scene, plan the windows, keep the rows of each strip as they
are finished, then write them as Cloud Optimized GeoTIFFs, give those their names, and make the
product files from them. A stopped run resumes at the first strip that is not finished.
"""

import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace

from geosrseg.errors import SceneError, SceneWarning
from geosrseg.mapping.layers.layers import CLASSES, CONFIDENCE
from geosrseg.mapping.map_job import MapJob, open_job
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.map_rows import predict_rows
from geosrseg.mapping.planning.map_judgement import MapCounts
from geosrseg.mapping.prediction import OnProgress, Phase, Prediction, Progress
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
from geosrseg.raster.files.fingerprint import stamp_files
from geosrseg.raster.maps.cog import STALE, write_cog
from geosrseg.raster.maps.row_store import RowStore, open_row_store
from geosrseg.raster.storage.publication import publish
from geosrseg.runtime.session import Session


def warn(text: str) -> None:
    """Warn of something about a scene."""
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
) -> Prediction:
    """Make the map of a request whose outputs have been checked.

    Args:
        request: what is wanted; it has an output.
        session: the model.
        overwrite: replace the store of a stopped run that had other options.
        on_progress: called when a phase begins and after each window.
        may_halve: run windows in parts where memory runs out, with a few other labels then.
        turn: held while windows are run, so that another map is written meanwhile.
        on_warning: called with each thing about the scene that was taken for granted.

    Warns:
        SceneWarning: by default, in place of `on_warning`.

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
            resumed = len(store)
            counter = WindowCounter(job, on_progress, strips_done=resumed)
            with turn or nullcontext():
                counts = _keep_rows(job, store, counter, may_halve=may_halve)
            if stamp_files(inputs) != stamps:
                store.remove()
                raise SceneError(f"{job.scene.location}: changed while it was read: run it again")
            job.scene.add_unlike(counts.unlike(job.legend.spec))
            for text in job.scene.warnings[said:]:
                on_warning(text)
            before = map_contents(output)
            labels = _publish(job, store, counter, overwrite=overwrite)
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


def _write_products(job: MapJob) -> Areas | None:
    """Styles and product files; the areas if they were counted."""
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


def _keep_rows(
    job: MapJob, store: RowStore, counter: "WindowCounter", *, may_halve: bool
) -> MapCounts:
    """Keep the rows of every strip that the store does not have, and count all."""
    counts = MapCounts()
    for layer in {CLASSES, CONFIDENCE} & job.layers.keys():
        for kept in store.rows(layer):
            counts.add({layer: kept})
    if len(store) == len(job.plan.rows.starts):
        return counts
    with closing(
        predict_rows(
            job.scene,
            job.session,
            job.plan,
            layers=job.layers,
            merge=job.legend.merge,
            shown=job.shown,
            batch=job.request.options.windows.batch,
            first_strip=len(store),
            may_halve=may_halve,
            on_read=counter.start,
            on_window=counter.count,
        )
    ) as all_rows:
        for rows in all_rows:
            store.append(rows)
            counts.add(rows)
    return counts


def _publish(
    job: MapJob, store: RowStore, counter: "WindowCounter", *, overwrite: bool
) -> LabelCounter:
    """Write every layer, and give all of them their names once all are right."""
    paths, labels = job.request.paths, LabelCounter()
    drafts = {}
    for layer, path in paths.items():
        rows = store.rows(layer)
        rows = labels.counted(rows) if layer == CLASSES else rows
        # Only now is it known how the scene differs from the model's training data.
        profile, title = job.layers[layer].profile(), job.layers[layer].asset.title
        tags = {"TIFFTAG_IMAGEDESCRIPTION": title, **profile.tags, **job.tags}
        profile = replace(profile, tags=tags)
        counter.enter("writing")
        drafts[layer] = write_cog(
            store.folder, path, profile, rows, on_check=lambda: counter.enter("checking")
        )
    # Meanwhile, somebody may have put something there.
    job.request.check_outputs(overwrite=overwrite, own=store.noted)
    store.start_publishing(job.request.files)
    for layer, path in paths.items():
        publish(drafts[layer], path, stale=STALE)
    return labels


class WindowCounter:
    """Counts windows and reports progress."""

    def __init__(self, job: MapJob, on_progress: OnProgress, *, strips_done: int) -> None:
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
        self.enter("reading")

    def start(self) -> None:
        """There is something for the network to do."""
        self.enter("network")

    def enter(self, phase: Phase) -> None:
        """Report that another phase begins."""
        self._phase: Phase = phase
        self._tell()

    def count(self, usable: bool) -> None:
        """A window was run, or skipped as nothing in it is usable."""
        self.run += usable
        self.skipped += not usable
        self._tell()

    def _tell(self) -> None:
        done = self._before + self.run + self.skipped
        self._report(Progress(done, self._total, self._before, self._pixels, self._phase))
