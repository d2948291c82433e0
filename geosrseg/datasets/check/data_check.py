"""DataCheck: a dataset looked at before anything is trained on it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.normalize import Normalization
from geosrseg.core.text.counted import counted
from geosrseg.core.text.toml_text import toml_key
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import SPLITS
from geosrseg.datasets.check import findings
from geosrseg.datasets.check.common_ground import find_common_ground
from geosrseg.datasets.check.image_survey import PERCENTS, ImageSurvey, survey_image
from geosrseg.datasets.check.reference_survey import ReferenceSurvey, survey_reference
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import open_labelled_scenes
from geosrseg.errors import DatasetWarning


@dataclass(frozen=True, slots=True, eq=False)
class DataCheck:
    """What was found.

    Attributes:
        card: the dataset.
        images: of its scenes, each once.
        references: of its scenes.
        scale_from: what says the scale of the images, in words.
        scales: (bands,) of the first image.
        offsets: (bands,) of the same.
        nodata: its declared number; None without one.
        warnings: what is likely a mistake, one line each.
    """

    card: DatasetCard
    images: Sequence[ImageSurvey]
    references: Sequence[ReferenceSurvey]
    scale_from: str
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    nodata: float | None
    warnings: Sequence[str]

    def lines(self) -> list[str]:
        """What was read, for people."""
        sizes = sorted({(image.width, image.height) for image in self.images})
        shown = " to ".join(
            f"{width} x {height}" for width, height in dict.fromkeys((sizes[0], sizes[-1]))
        )
        types = ", ".join(sorted({image.dtype for image in self.images}))
        return [
            f"data: {self.card.name}, {counted(len(self.images), 'image')} of {shown} pixels, "
            f"{counted(len(self.card.bands), 'band')} of {types}; scale {_each(self.scales)}, "
            f"offset {_each(self.offsets)} (from {self.scale_from}), nodata "
            f"{'none' if self.nodata is None else f'{self.nodata:g}'}",
            *_table(self._band_rows()),
            *_table(self._class_rows()),
        ]

    def band_lines(self) -> list[str]:
        """The table [bands] as the values of the images suggest it, to paste into a card."""
        ends = self.percentiles()[:, [0, -1]]
        return [
            "[bands]",
            *(
                f"{toml_key(band)} = [{_rounded(low)}, {_rounded(high)}]"
                for band, (low, high) in zip(self.card.bands, ends.tolist(), strict=True)
            ),
        ]

    def percentiles(self) -> NDArray[np.float64]:
        """(bands, percents) reflectance at `PERCENTS`, of all images: the median of theirs."""
        values = np.array([image.percentiles for image in self.images])
        finite = values[np.isfinite(values).all(axis=(1, 2))]
        middle = np.median(finite, axis=0)
        middle[:, 0], middle[:, -1] = finite[:, :, 0].min(axis=0), finite[:, :, -1].max(axis=0)
        return middle

    def _band_rows(self) -> list[list[str]]:
        beyond = np.mean([image.below + image.above for image in self.images], axis=0)
        card = self.card
        rows = [["band", "[low, high]", *(f"{percent:g} %" for percent in PERCENTS), "beyond"]]
        for band, low, high, values, share in zip(
            card.bands, card.low, card.high, self.percentiles().tolist(), beyond, strict=True
        ):
            range_ = f"[{low:g}, {high:g}]"
            rows.append([band, range_, *(f"{value:.3g}" for value in values), f"{share:.1%}"])
        return rows

    def _class_rows(self) -> list[list[str]]:
        totals = [findings.count_classes(self.references, split) for split in SPLITS]
        rows = [["class", *(f"{split} (pixels)" for split in SPLITS)]]
        for item, *counts in zip(self.card.legend.classes, *totals, strict=True):
            shares = zip(counts, totals, strict=True)
            cells = [f"{n:,} ({n / max(all_.sum(), 1):.1%})" if n else "0" for n, all_ in shares]
            rows.append([f"{item.id} {item.name}", *cells])
        rest = [sum(r.unlabelled[split] for r in self.references) for split in SPLITS]
        rows.append(["no class", *(f"{n:,}" for n in rest)])
        return rows


def check_data(card: DatasetCard, scenes: Sequence[LabelledScene]) -> DataCheck:
    """Look at every image and reference of a dataset.

    Args:
        scenes: its scenes, open.

    Warns:
        DatasetWarning: each of the check's warnings.

    Raises:
        DatasetError: nothing useful can be trained on it.
    """
    images = [survey_image(scene.image, low=card.low, high=card.high) for scene in scenes]
    references = [survey_reference(scene, classes=len(card.legend)) for scene in scenes]
    digests = [image.digest for image in images]
    kinds = chain(
        findings.find_types(card, images),
        findings.find_turned(images),
        findings.find_ranges(card, images),
        findings.find_markers(images),
        findings.find_unknown(card, references),
        findings.find_classes(card, references),
        findings.find_leaks(find_common_ground(scenes, digests)),
    )
    found = []
    for text in kinds:  # each at once: an error may follow, which it may explain
        warnings.warn(text, DatasetWarning, stacklevel=2)
        found.append(text)
    first = scenes[0].image
    return DataCheck(
        card=card,
        images=list({image.path: image for image in images}.values()),
        references=references,
        scale_from=first.scale_from,
        scales=first.radiometry.scale,
        offsets=first.radiometry.offset,
        nodata=first.selection.nodata[0],
        warnings=found,
    )


def check_dataset(card: DatasetCard) -> DataCheck:
    """Open the files of a dataset and look at them, see `check_data`."""
    bare = Normalization(card.low, card.high, (0.0,) * len(card.bands))
    with open_labelled_scenes(card, normalization=bare, checked=True) as scenes:
        return check_data(card, scenes)


def _each(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in dict.fromkeys(values))


def _rounded(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}" if value else "0.0"


def _table(rows: list[list[str]]) -> list[str]:
    """Rows with their columns under each other, the first one flush left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
