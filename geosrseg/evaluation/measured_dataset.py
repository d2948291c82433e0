"""Measured dataset: a dataset, made ready to measure models on."""

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
"""Draws of the bootstrap; the ends of an interval then differ little from seed to seed."""

VIEWS = 3
"""Parts of the test area that a report shows."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredDataset:
    """A dataset, made ready to measure models on.

    Attributes:
        settings: how is measured.
        areas: what is measured.
        main: which of them the figures are of; the others, whose labels lie on the LR grid
            where some lie on the target grid, have their own.
        blocks: of each area.
        views: what is kept to be shown.
        draws: of the bootstrap.
    """

    card: DatasetCard
    settings: Settings
    areas: list[EvaluationArea]
    main: list[bool]
    blocks: list[Blocks]
    views: list[View]
    draws: Draws

    def views_of(self, area: int) -> list[View]:
        """The views of an area."""
        return [view for view in self.views if view.area == area]


@contextmanager
def open_measured_dataset(
    card: DatasetCard, spec: ModelSpec, config: AreaConfig, *, seams: Seams, block: int | None
) -> Iterator[MeasuredDataset]:
    """Find out all that is the same for all models; files as large as the scenes hold it.

    Args:
        spec: of one of the models; what views show is normalized as it wants it.
        config: what is measured.
        seams: how windows are joined.
        block: HR pixels along each side of a block of the bootstrap; chosen by default.

    Raises:
        DatasetError: no pixel of the split has a class, or the data is wrong.
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
