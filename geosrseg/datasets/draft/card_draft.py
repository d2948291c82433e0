"""CardDraft: the text of a dataset card, drafted from a folder of images and masks.

Every file is opened once, and only a sample of an image is kept: a folder may be larger than
the memory.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geosrseg.core.text.counted import counted
from geosrseg.core.text.toml_text import toml_key, toml_value
from geosrseg.datasets.block_split import ONE_IN
from geosrseg.datasets.card.card_scene import VECTORS
from geosrseg.datasets.draft.band_draft import BandDraft, draft_bands, survey_for_draft
from geosrseg.datasets.draft.class_draft import ClassDraft, draft_classes, in_one_kind
from geosrseg.datasets.draft.mask_survey import survey_mask
from geosrseg.datasets.draft.pairs import Pair, find_pairs
from geosrseg.datasets.draft.polygon_draft import draft_polygons
from geosrseg.datasets.draft.split_draft import BLOCKS, LabelCounts, SplitDraft, draft_splits
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.storage.gdal import small_cache
from geosrseg.raster.storage.publication import check_output, publish_text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CardDraft:
    """Contents of a drafted card.

    Attributes:
        folder: folder that the card's paths are relative to.
        counts: (classes,) pixels of each class; empty for polygons.
    """

    name: str
    folder: Path
    pairs: Sequence[Pair]
    bands: BandDraft
    classes: ClassDraft
    counts: Sequence[int]
    splits: SplitDraft

    def lines(self) -> list[str]:
        """Return a summary for people, with the remarks."""
        splits = Counter(self.splits.splits)
        shown = ", ".join(f"{count} {split}" for split, count in splits.items())
        return [
            f"{counted(len(self.pairs), 'image')} with masks, "
            f"{counted(len(self.bands.names), 'band')}: {', '.join(self.bands.names)}",
            f"{len(self.classes.classes)} classes: "
            + ", ".join(f"{item.reference}" for item in self.classes.classes[:8])
            + (", ..." if len(self.classes.classes) > 8 else ""),
            f"split: {shown}; {self.splits.how}",
            *self.bands.remarks,
            *self.classes.remarks,
        ]

    def text(self, card: Path) -> str:
        """Return the text of the card, to be written to the path `card`."""
        column = self.classes.column
        blocks = [
            self._head(card),
            self._bands(),
            self._image(),
            ["[polygons]", f"column = {toml_value(column)}"] if column else [],
            *self._classes(),
            *(self._scene(number) for number in range(len(self.pairs))),
        ]
        return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"

    def _head(self, card: Path) -> list[str]:
        lines = [
            "# Drafted by geosrseg card, ready to train. Models store the names of bands and",
            "# classes, the licence and the source: check them.",
            f"name = {toml_value(self.name)}",
            '# licence = "CC BY 4.0"',
            '# source = "who made the images and the masks, and when"',
            f"folder = {toml_value(_relative(self.folder, card.absolute().parent))}",
        ]
        if guard := self.splits.guard:
            lines.append(f"guard = {guard}  # pixels between training and validation")
        if ignored := self.classes.ignored:
            lines.append(f"ignored = [{', '.join(map(toml_value, ignored))}]")
        if tolerance := self.classes.tolerance:
            lines.append(f"colour_tolerance = {tolerance}")
        return lines

    def _bands(self) -> list[str]:
        bands = self.bands
        return [
            *(f"# {remark}" for remark in bands.remarks),
            "# Values that become 0 and 1 in the network: the range of nearly all pixels.",
            "[bands]",
            *(
                f"{toml_key(name)} = [{toml_value(low)}, {toml_value(high)}]"
                for name, low, high in zip(bands.names, bands.low, bands.high, strict=True)
            ),
        ]

    def _image(self) -> list[str]:
        bands, lines = self.bands, []
        if bands.indexes:
            lines.append(f"bands = [{', '.join(map(str, bands.indexes))}]  # of the files, from 1")
        if bands.scale is not None:
            lines.append(f"scale = {toml_value(bands.scale)}")
            if bands.offset:
                lines.append(f"offset = {toml_value(bands.offset)}")
        if bands.nodata is not None:
            lines.append(f"nodata = {toml_value(bands.nodata)}")
        return ["[image]", *lines] if lines else []

    def _classes(self) -> list[list[str]]:
        drafted, total = self.classes.classes, max(sum(self.counts), 1)
        blocks = []
        shares = [f"  # {count / total:.2%} of the labelled pixels" for count in self.counts]
        for item, share in zip(drafted, shares or [""] * len(drafted), strict=True):
            lines = ["[[classes]]", f"id = {item.id}", f"name = {toml_value(item.name)}{share}"]
            if item.colour:
                lines.append(f"colour = {toml_value(item.colour)}")
            if item.reference != (item.name if self.classes.column else item.id):
                lines.append(f"reference = {toml_value(item.reference)}")
            blocks.append(lines)
        blocks[0] = [*(f"# {remark}" for remark in self.classes.remarks), *blocks[0]]
        return blocks

    def _scene(self, number: int) -> list[str]:
        pair, split = self.pairs[number], self.splits.splits[number]
        block = self.splits.block if split == "train" else None
        head = [f"# {self.splits.how}.", '# Only evaluate uses images with split = "test".']
        lines = [
            "[[scenes]]",
            f"image = {toml_value(_relative(pair.image, self.folder))}",
            f"reference = {toml_value(_relative(pair.mask, self.folder))}",
            f"split = {toml_value(split)}",
        ]
        if block:
            lines.append(f"validation_block = {block}")
        return lines if number else head + lines


def draft_card(
    folder: str | Path,
    *,
    masks: str | Path | None = None,
    column: str | None = None,
    name: str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    on_file: Callable[[int, int], None] = lambda done, total: None,
) -> CardDraft:
    """Draft a card for a folder of images and masks.

    Args:
        folder: see `find_pairs`.
        masks: see `find_pairs`.
        column: column of a polygon file with the classes; None takes the only possible one.
        name: name of the dataset; None takes that of the folder.
        scale: reflectance = scale · number + offset, where the files do not state it.
        offset: see `scale`.
        on_file: receives the number of images done and of all images.

    Raises:
        DatasetError: there are no pairs of images and masks, or one card cannot describe them.
    """
    folder = Path(folder)
    pairs = find_pairs(folder, masks=Path(masks) if masks else None)
    polygons = pairs[0].mask if pairs[0].mask.suffix.lower() in VECTORS else None
    if column is not None and polygons is None:
        raise DatasetError(f"`column` {column}: the masks are rasters, leave it out")
    images, surveys = [], []
    with closing(RasterFiles()) as files, small_cache():
        for done, pair in enumerate(pairs):
            on_file(done, len(pairs))
            images.append(survey_for_draft(pair.image, files))
            if not polygons:
                surveys.append(survey_mask(pair.mask, blocks=BLOCKS, files=files))
    on_file(len(pairs), len(pairs))
    if polygons:
        classes = draft_polygons(polygons, column=column)
        counts = [_of_pixels(image.grid) for image in images]
    else:
        surveys = in_one_kind(surveys)
        classes = draft_classes(surveys)
        counts = [
            LabelCounts(
                np.array(classes.counts(survey.counts)),
                np.array([classes.counts(tally) for tally in survey.held_out]),
            )
            for survey in surveys
        ]
    return CardDraft(
        name=name or folder.resolve().name or "dataset",
        folder=folder.absolute(),
        pairs=pairs,
        bands=draft_bands(images, scale=scale, offset=offset),
        classes=classes,
        counts=() if polygons else np.sum([count.all for count in counts], axis=0).tolist(),
        splits=draft_splits(pairs, images, counts),
    )


def _of_pixels(grid: Grid) -> LabelCounts:
    """Count all pixels as one class: the positions of polygons are not known yet."""
    pixels = grid.height * grid.width
    return LabelCounts(np.array([pixels]), np.full((len(BLOCKS), 1), pixels // ONE_IN))


def write_card(draft: CardDraft, output: str | Path, *, overwrite: bool = False) -> None:
    """Write a draft to a file ``CARD.toml``.

    Raises:
        OutputError: the file cannot be written.
        DatasetError: a file of the dataset has a name that is not UTF-8.
    """
    path = Path(output)
    check_output(path, suffixes=[".toml"], overwrite=overwrite)
    try:
        text = draft.text(path)
        text.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(
            f"{draft.folder} has a file whose name is not UTF-8: rename it"
        ) from error
    publish_text(path, text)


def _relative(path: Path, base: Path) -> str:
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # on Windows, another drive
        return path.absolute().as_posix()
