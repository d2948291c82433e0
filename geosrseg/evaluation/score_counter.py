"""Counts the scores of one model on one evaluation area."""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.evaluation.evaluation_area import Blocks, EvaluationArea
from geosrseg.evaluation.scoring.block_counts import BlockCounts
from geosrseg.evaluation.scoring.scores import Scores


class ScoreCounter:
    """Counts scores from parts of a map, in any order."""

    def __init__(self, area: EvaluationArea, blocks: Blocks) -> None:
        self._area = area
        self._blocks = blocks
        self._cells = len(area.legend) ** 2
        self._confusion: list[BlockCounts] = []
        self._boundary: list[BlockCounts] = []
        self._hits = np.zeros(len(area.objects.label), np.int64)

    def add(self, labels: NDArray[np.uint8], window: Window) -> None:
        """Count a part.

        Args:
            labels: (rows, cols) class indices; NODATA where the model gives no class.
            window: its place in the area.
        """
        area = self._area
        place = (window.rows, window.cols)
        target = np.asarray(area.target[place])
        counted = (target != NODATA) & (labels != NODATA)
        row, col = np.nonzero(counted)
        block = self._blocks.of(row + window.row_off, col + window.col_off)
        cell = target[counted].astype(np.int64) * len(area.legend) + labels[counted]
        near = np.asarray(area.near_boundary[place])[counted]
        self._confusion.append(BlockCounts.of(block, cell, cells=self._cells))
        self._boundary.append(BlockCounts.of(block[near], cell[near], cells=self._cells))
        right = counted & (target == labels)
        self._hits += area.objects.count_pixels(window, right)

    def scores(self) -> Scores:
        """Return the scores; an object is found if at least half of its pixels have its class."""
        area, classes = self._area, len(self._area.legend)
        objects = area.objects
        found = area.counted_objects & (2 * self._hits >= objects.size)
        return Scores(
            area.legend.names,
            BlockCounts.add_up(self._confusion, cells=self._cells),
            BlockCounts.add_up(self._boundary, cells=self._cells),
            *(
                BlockCounts.of(
                    self._blocks.of(*objects.first[kept].T), objects.label[kept], cells=classes
                )
                for kept in (area.counted_objects, found)
            ),
        )
