"""DataCheck: a dataset checked before training, with tables of bands and classes."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.text.counted import counted
from geosrseg.core.text.toml_text import toml_key
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import SPLITS
from geosrseg.datasets.check import findings
from geosrseg.datasets.check.common_ground import find_common_ground
from geosrseg.datasets.check.image_survey import PERCENTS, ImageSurvey, survey_image
from geosrseg.datasets.check.reference_survey import ReferenceSurvey, survey_reference
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import open_scenes
from geosrseg.errors import DatasetWarning


@dataclass(frozen=True, slots=True, eq=False)
class DataCheck:
    """Result of `check_data`.

    Attributes:
        images: surveys of the images, each once.
        references: surveys of the references, one per scene.
        scale_from: where the scale of the images comes from, in words.
        scales: (bands,) scales of the first image.
        offsets: (bands,) offsets of the first image.
        nodata: declared nodata of the first image; None without one.
        warnings: likely mistakes, one line each.
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
        """Return a summary with tables of bands and classes, for people."""
        sizes = sorted({(image.width, image.height) for image in self.images})
        shown = " to ".join(f"{w} x {h}" for w, h in dict.fromkeys((sizes[0], sizes[-1])))
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
        """Return a table [bands] that fits the images' values, to paste into a card."""
        ends = self.percentiles()[:, [0, -1]]
        return [
            "[bands]",
            *(
                f"{toml_key(band)} = [{_rounded(low)}, {_rounded(high)}]"
                for band, (low, high) in zip(self.card.bands, ends.tolist(), strict=True)
            ),
        ]

    def percentiles(self) -> NDArray[np.float64]:
        """Return (bands, percents) reflectance at `PERCENTS` over all images.

        This is the median of the images' values; the first and last are minimum and maximum.
        """
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
    """Check every image and reference of a dataset.

    Args:
        scenes: the open scenes of the card.

    Warns:
        DatasetWarning: once for each of the check's warnings.

    Raises:
        DatasetError: training on the dataset would be useless.
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
    for text in kinds:  # warn at once: it may explain an error that follows
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
    """Open the files of a dataset and check them, see `check_data`."""
    with open_scenes(card, card.bare_normalization()) as scenes:
        return check_data(card, scenes)


def _each(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in dict.fromkeys(values))


def _rounded(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}" if value else "0.0"


def _table(rows: list[list[str]]) -> list[str]:
    """Align the columns of rows, the first one flush left, the others flush right."""
    first, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        "  ".join(["", head.ljust(first), *map(str.rjust, cells, widths)]) for head, *cells in rows
    ]
