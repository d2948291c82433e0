"""Prepares a dataset to measure models on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.spec import ModelSpec
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.scenes import open_labelled_scenes
from geosrseg.errors import DatasetError
from geosrseg.evaluation.evaluation_area import (
    AreaConfig,
    Blocks,
    EvaluationArea,
    plan_blocks,
    prepare_areas,
)
from geosrseg.evaluation.report.report import Settings
from geosrseg.evaluation.scoring.bootstrap import Draws
from geosrseg.evaluation.view import View, choose_views
from geosrseg.mapping.windowing import Seams

RESAMPLES = 2000
"""Draws of the bootstrap; enough that intervals vary little between seeds."""

VIEWS = 3
"""Parts of the test area shown in a report."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredDataset:
    """A dataset, prepared to measure models on.

    Attributes:
        main: whether each area counts in the figures. If only some areas have labels on the
            target grid, those with labels on the LR grid get separate figures.
        blocks: blocks of each area.
        views: parts shown in the report.
        draws: draws of the bootstrap.
    """

    card: DatasetCard
    settings: Settings
    areas: list[EvaluationArea]
    main: list[bool]
    blocks: list[Blocks]
    views: list[View]
    draws: Draws

    def views_of(self, area: int) -> list[View]:
        """Return the views of an area, by its index."""
        return [view for view in self.views if view.area == area]


@contextmanager
def open_measured_dataset(
    card: DatasetCard, spec: ModelSpec, config: AreaConfig, *, seams: Seams, block: int | None
) -> Iterator[MeasuredDataset]:
    """Prepare everything that is the same for all models, in files as large as the scenes.

    Args:
        spec: ModelSpec that gives the normalization of the views.
        seams: how windows are joined.
        block: side of a bootstrap block in HR pixels; chosen by default.

    Raises:
        DatasetError: no pixel of the split has a class, or the data is invalid.
    """
    with (
        tempfile.TemporaryDirectory(prefix="geosrseg-") as folder,
        open_labelled_scenes(card, normalization=spec.normalization) as scenes,
    ):
        areas = prepare_areas(scenes, config, folder=Path(folder))
        if not areas:
            raise DatasetError(f"no pixel of split {config.split!r} in {card.name} has a class")
        mixed = len({area.scene.is_lr for area in areas}) > 1
        main = [not (mixed and area.scene.is_lr) for area in areas]
        planned = {
            kind: iter(plan_blocks(own, side=block))
            for kind in set(main)
            if (own := [area for area, its in zip(areas, main, strict=True) if its == kind])
        }
        blocks = [next(planned[kind]) for kind in main]
        figured = [each for each, kind in zip(blocks, main, strict=True) if kind]
        count = max(int(each.numbers.max()) for each in figured) + 1
        settings = Settings(
            split=config.split,
            seams=seams,
            block=figured[0].side,
            blocks=count,
            resamples=RESAMPLES,
            boundary=config.boundary,
            small=config.small,
        )
        views = choose_views(areas, count=VIEWS)
        draws = Draws(count, RESAMPLES)
        yield MeasuredDataset(card, settings, areas, main, blocks, views, draws)
