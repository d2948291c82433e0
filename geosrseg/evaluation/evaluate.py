"""Evaluates models on the same pixels of a dataset."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.spec import ModelSpec
from geosrseg.datasets.card.card import SPLITS, DatasetCard
from geosrseg.errors import DatasetError, GeosrsegError
from geosrseg.evaluation.evaluation_area import AreaConfig
from geosrseg.evaluation.evaluation_sizes import USUAL, EvaluationSizes
from geosrseg.evaluation.measured_dataset import MeasuredDataset, open_measured_dataset
from geosrseg.evaluation.measurement import (
    Measurement,
    ReconstructedImage,
    measure,
    measure_bicubic,
)
from geosrseg.evaluation.model_files import find_model_files
from geosrseg.evaluation.report.report import ModelReport, ModelView, Report, ReportView
from geosrseg.evaluation.scoring.bootstrap import Resampled, resample
from geosrseg.evaluation.scoring.scores import Scores, add_scores
from geosrseg.evaluation.scoring.squared_error import mean_psnr
from geosrseg.evaluation.source_figures import SourceFigures, measure_sources
from geosrseg.evaluation.torch_session import TorchSession, torch_place
from geosrseg.mapping.planning.scene_plan import plan_map
from geosrseg.mapping.windowing import Seams
from geosrseg.networks.joint import JointNetwork
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.session import open_session


@dataclass(frozen=True, slots=True, eq=False)
class ModelResult:
    """The measurements of one model.

    Attributes:
        file: the model as named by the user.
        sha256: SHA-256 of the model file.
        main: whether each area counts in the scores.
        bicubic: the bicubic image of each area; empty for a model of native images.
    """

    spec: ModelSpec
    file: str
    sha256: str
    device: str
    areas: list[Measurement]
    main: list[bool]
    bicubic: list[ReconstructedImage]

    @property
    def scores(self) -> Scores:
        """Scores summed over the main areas."""
        chosen = zip(self.areas, self.main, strict=True)
        return add_scores([area.scores for area, is_main in chosen if is_main])


def evaluate(
    models: Sequence[str | Path],
    card: DatasetCard,
    *,
    split: str = "test",
    baselines: Sequence[int | None] | None = None,
    seams: Seams = "blend",
    sizes: EvaluationSizes = USUAL,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    networks: Sequence[JointNetwork | None] = (),
    tta: bool = False,
    on_window: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measure models on the same pixels of a dataset.

    Whole scenes are degraded by each model's factor and mapped with the windows and blending of
    `predict`.

    Args:
        models: names of shipped models, model files or run folders.
        split: ``train``, ``validation`` or ``test``.
        baselines: for each model the index of the model to compare it with, or None; by default
            all others are compared with the first.
        seams: how windows are joined, see `predict`.
        device: see `predict`.
        precision: see `predict`.
        threads: CPU threads.
        networks: networks of all models, to run in PyTorch instead; ignored with `tta`.
        tta: average over the eight flips and rotations of each window.
        on_window: called with the model's name after each window.

    Raises:
        DatasetError: data is missing, or bands or classes differ from the model's.
        ModelError: a model is unknown or invalid.
        RunError: a run is unfinished.
    """
    _check(models, split=split, seams=seams)
    with tempfile.TemporaryDirectory(prefix="geosrseg-") as folder:
        files = find_model_files(models, folder=Path(folder))
        specs = [read_model_file(file).spec for file in files]
        for spec in specs:
            _check_fit(spec, card, seams=seams)
        factors = tuple(sorted({spec.upscale_factor for spec in specs}))
        config = AreaConfig(
            legend=card.legend,
            split=split,
            upscale_factors=factors,
            boundary=sizes.boundary_for(max(factors)),
            small=sizes.small_for(max(factors)),
        )
        with open_measured_dataset(card, specs[0], config, seams=seams, block=sizes.block) as on:
            run = partial(
                _run, on=on, device=device, precision=precision, threads=threads, tta=tta,
                on_window=on_window,
            )  # fmt: skip
            networks = networks or [None] * len(files)
            results = [
                run(file, str(model), network=network)
                for file, model, network in zip(files, models, networks, strict=True)
            ]
            if baselines is None:
                baselines = [None, *[0] * (len(models) - 1)]
            return _report(on, results, baselines)


def _check(models: Sequence[str | Path], *, split: str, seams: str) -> None:
    if not models:
        raise GeosrsegError("no model to evaluate: name one or more")
    if split not in SPLITS:
        raise DatasetError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    if seams not in get_args(Seams):
        raise GeosrsegError(f"seams {seams!r}: expected one of {', '.join(get_args(Seams))}")


def _check_fit(spec: ModelSpec, card: DatasetCard, *, seams: Seams) -> None:
    plan_map(1, 1, spec, seams=seams)  # refuses seams that the model does not support
    if spec.bands != card.bands or spec.legend.ids != card.legend.ids:
        raise DatasetError(
            f"{spec.name} knows bands {', '.join(spec.bands)} and classes "
            f"{', '.join(spec.legend.names)}; dataset {card.name} has bands "
            f"{', '.join(card.bands)} and classes {', '.join(card.legend.names)}"
        )


def _run(
    file: Path,
    model: str,
    *,
    on: MeasuredDataset,
    device: str,
    precision: str,
    threads: int | None,
    tta: bool,
    network: JointNetwork | None,
    on_window: Callable[[str], None],
) -> ModelResult:
    """Measure one model on all areas."""
    with ExitStack() as stack:
        if network is None or tta:
            session = open_session(
                file, device=device, precision=precision, threads=threads, tta=tta
            )
        else:
            with open_session(file, device="cpu", threads=threads) as proved:
                session = TorchSession(proved, network, place=torch_place())
        stack.enter_context(session)
        spec = session.spec
        measurements, bicubic = [], []
        for index, (area, blocks) in enumerate(zip(on.areas, on.blocks, strict=True)):
            scene = replace(area.scene, normalization=spec.normalization)
            views = on.views_of(index)
            measurements.append(
                measure(
                    session,
                    area,
                    scene,
                    blocks=blocks,
                    views=views,
                    seams=on.settings.seams,
                    on_window=lambda: on_window(spec.name),
                )
            )
            if spec.upscale_factor > 1:
                bicubic.append(
                    measure_bicubic(area, scene, factor=spec.upscale_factor, views=views)
                )
        return ModelResult(
            spec, model, session.sha256, session.device, measurements, on.main, bicubic
        )


def _report(
    on: MeasuredDataset, results: Sequence[ModelResult], baselines: Sequence[int | None]
) -> Report:
    resampled = [resample(result.scores.figures, on.draws) for result in results]
    names = _names([result.spec for result in results])
    main = [area for area, is_main in zip(on.areas, on.main, strict=True) if is_main]
    return Report(
        dataset=on.card.name,
        source=on.card.source,
        licence=on.card.licence,
        legend=on.card.legend,
        bands=on.card.bands,
        settings=on.settings,
        scenes=tuple(area.scene.path.name for area in on.areas),
        reference_pixels=_totals(area.count_pixels() for area in main),
        small_objects=_totals(area.count_objects() for area in main),
        models=tuple(
            _model_report(
                name,
                result,
                own,
                by_source=measure_sources(on.areas, result.areas),
                baseline="" if baseline is None else names[baseline],
                compared_with=None if baseline is None else resampled[baseline],
            )
            for name, result, own, baseline in zip(
                names, results, resampled, baselines, strict=True
            )
        ),
        views=tuple(_report_views(on, results)),
    )


def _model_report(
    name: str,
    result: ModelResult,
    resampled: Resampled,
    *,
    by_source: Mapping[str, SourceFigures],
    baseline: str,
    compared_with: Resampled | None,
) -> ModelReport:
    scores, native = result.scores, result.spec.upscale_factor == 1
    errors = [] if native else [area.image.error for area in result.areas]
    return ModelReport(
        model=name,
        file=result.file,
        sha256=result.sha256,
        upscale_factor=result.spec.upscale_factor,
        device=result.device,
        confusion=scores.matrix(),
        boundary_confusion=scores.boundary_matrix(),
        estimates=resampled.estimates(),
        by_source=by_source,
        baseline=baseline,
        differences=resampled.differences(compared_with) if compared_with else {},
        psnr=mean_psnr(errors),
        psnr_bicubic=mean_psnr(image.error for image in result.bicubic),
        resampled=resampled,
    )


def _report_views(on: MeasuredDataset, results: Sequence[ModelResult]) -> Iterator[ReportView]:
    for index, area in enumerate(on.areas):
        for place, view in enumerate(on.views_of(index)):
            yield ReportView(
                scene=area.scene.path.name,
                window=view.window,
                zoom=view.zoom,
                native=area.scene.read_hr(view.window),
                reference=np.array(area.target[view.window.rows, view.window.cols]),
                bicubic={
                    result.spec.upscale_factor: result.bicubic[index].shown[place]
                    for result in results
                    if result.bicubic
                },
                models=tuple(
                    ModelView(
                        labels=result.areas[index].labels[place],
                        sr=result.areas[index].image.shown[place] if result.bicubic else None,
                    )
                    for result in results
                ),
            )


def _totals(counts: Iterable[NDArray[np.int64]]) -> tuple[int, ...]:
    return tuple(int(total) for total in np.sum(list(counts), axis=0))


def _names(specs: Sequence[ModelSpec]) -> list[str]:
    """Return distinct names of the models; version and number are added where needed."""
    versions = {(spec.name, spec.version) for spec in specs}
    shared = {name for name, count in Counter(name for name, _ in versions).items() if count > 1}
    names = [f"{spec.name} {spec.version}" if spec.name in shared else spec.name for spec in specs]
    seen: Counter[str] = Counter()
    unlike = []
    for name in names:
        seen[name] += 1
        unlike.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unlike
