"""ClassDraft: the classes of a card, derived from the values of its masks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geosrseg.core.legend import NODATA, even_colour
from geosrseg.datasets.draft.mask_survey import MaskSurvey
from geosrseg.errors import DatasetError

MANY = 64
"""Most values that are plausible as classes."""

TOLERANCE = 60
"""Largest distance in RGB between a colour of a blurred mask and that of its class."""

LEAST = 0.002
"""Least share of a blurred mask's pixels that makes a colour a class."""

SURE = 0.9
"""Least share of a blurred mask's pixels near its two ends that makes two classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedClass:
    """One class of a drafted card.

    Attributes:
        name: placeholder.
        reference: value or colour in the masks, as a card writes it.
        values: values of the masks that belong to the class.
        colour: colour in maps; empty where `reference` is a colour.
    """

    id: int
    name: str
    reference: str | int
    values: frozenset[float]
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDraft:
    """The classes of a drafted card.

    Attributes:
        classes: ordered by id.
        ignored: values without a class, as a card writes them.
        tolerance: see `ReferenceCoding`; 0 where colours are exact.
        column: column of the polygons with their classes; empty for rasters.
        remarks: points to check, one line each.
    """

    classes: tuple[DraftedClass, ...]
    ignored: tuple[str | int, ...] = ()
    tolerance: int = 0
    column: str = ""
    remarks: tuple[str, ...] = ()

    def counts(self, values: Counter[float]) -> list[int]:
        """Sum the pixels of each value by class."""
        return [sum(values[value] for value in item.values) for item in self.classes]


def draft_classes(masks: Sequence[MaskSurvey]) -> ClassDraft:
    """Draft classes that fit all masks.

    Args:
        masks: either all numbers or all colours; see `in_one_kind`.

    Raises:
        DatasetError: there is only one class, or the values cannot be classes.
    """
    counts: Counter[float] = Counter()
    for mask in masks:
        counts.update(mask.counts)
    if masks[0].is_coloured:
        drafted = _of_colours(counts, masks)
    elif any(mask.is_lossy for mask in masks) and len(counts) > 2:
        drafted = _of_blurred_numbers(counts, masks)
    else:
        drafted = _of_numbers(counts, masks)
    if len(drafted.classes) < 2:
        held = ", ".join(str(item.reference) for item in drafted.classes) or "no value"
        raise DatasetError(
            f"the masks hold only one class ({held}, first {masks[0].path}): expected two values "
            "or more, one of them for all other ground"
        )
    return drafted


def in_one_kind(masks: Sequence[MaskSurvey]) -> list[MaskSurvey]:
    """Return all masks as numbers, or all as colours.

    The numbers of a palette are classes only where all masks have the same palette; otherwise
    its colours are.

    Raises:
        DatasetError: some masks hold colours, and some numbers without a palette.
    """
    palettes = {None if mask.palette is None else mask.palette.tobytes() for mask in masks}
    if len(palettes) == 1 and not any(mask.is_coloured for mask in masks):
        return [*masks]
    made = [mask.in_colours() for mask in masks]
    plain = [mask for mask in made if not mask.is_coloured]
    if plain and len(plain) < len(made):
        coloured = next(mask for mask in made if mask.is_coloured)
        raise DatasetError(
            f"{plain[0].path} holds numbers and {coloured.path} colours: expected masks of one kind"
        )
    return made


def _of_numbers(counts: Counter[float], masks: Sequence[MaskSurvey]) -> ClassDraft:
    if odd := [value for value in counts if value != int(value)]:
        raise DatasetError(
            f"{_holder(masks, odd[0])} holds {odd[0]:g}: class ids are whole numbers; if the mask "
            "was resampled by interpolation, resample it again by nearest neighbour"
        )
    held = {int(value) for value in counts}
    binary = held == {0, NODATA}
    ignored = sorted(v for v in held if v < 0 or (v == NODATA and not binary))
    ids = sorted(held - set(ignored))
    if len(ids) > MANY and ids != [*range(len(ids))]:
        raise DatasetError(
            f"{_holder(masks, ids[-1])}: the masks hold {len(ids)} different values from {ids[0]} "
            f"to {ids[-1]}, as after a lossy format or resampling by interpolation: save them "
            "again without either"
        )
    as_they_are = all(value < NODATA for value in ids) and not binary
    numbers = ids if as_they_are else range(len(ids))
    if len(ids) > NODATA:
        raise DatasetError(f"the masks hold {len(ids)} different values, expected at most 255")
    palette = masks[0].palette
    classes = [
        DraftedClass(
            id=number,
            name=f"class {value}",
            reference=value,
            values=frozenset({float(value)}),
            colour=even_colour(index, len(ids)) if palette is None else f"#{palette[value]:06x}",
        )
        for index, (number, value) in enumerate(zip(numbers, ids, strict=True))
    ]
    remarks = []
    if ids == [*range(1, len(ids) + 1)]:
        remarks.append("the masks hold no 0: other ground is not learned as a class")
    elif as_they_are and ids != [*range(len(ids))]:
        remarks.append("the values have gaps: each value is one class")
    return ClassDraft(
        classes=tuple(classes),
        # 255 is ignored anyway; listing it would prevent its use as a class.
        ignored=tuple(value for value in ignored if value != NODATA),
        remarks=(*remarks, *(f"{value} counts as no class" for value in ignored)),
    )


def _of_blurred_numbers(counts: Counter[float], masks: Sequence[MaskSurvey]) -> ClassDraft:
    """Draft two classes at the two ends of 8 bits, each with half of the values."""
    ends = sum(count for value, count in counts.items() if not 64 <= value < 192)
    halves = ("0-127", range(128)), ("128-255", range(128, 256))
    found = [sum(counts[value] for value in values) for _, values in halves]
    lossy = next(mask.path for mask in masks if mask.is_lossy)
    if ends < SURE * counts.total() or not all(found):
        raise DatasetError(
            f"{lossy} has lossy compression, so the masks hold {len(counts)} values, many of them "
            "between classes: save masks as PNG or GeoTIFF"
        )
    classes = (
        DraftedClass(
            id=number,
            name=f"class {number}",
            reference=text,
            values=frozenset(map(float, values)),
            colour=even_colour(number, 2),
        )
        for number, (text, values) in enumerate(halves)
    )
    remark = f"{lossy.name} has lossy compression: each class takes the half of the values near it"
    return ClassDraft(classes=tuple(classes), remarks=(remark,))


def _of_colours(counts: Counter[float], masks: Sequence[MaskSurvey]) -> ClassDraft:
    blurred = any(mask.is_lossy for mask in masks) or len(counts) > MANY
    chosen = _main_colours(counts) if blurred else sorted(counts, key=lambda v: -counts[v])
    if len(chosen) > MANY:
        raise DatasetError(
            f"{masks[0].path}: the masks hold {len(chosen)} colours, like photographs: are these "
            "the images? A mask has one colour for each class"
        )
    classes = tuple(
        DraftedClass(
            id=number,
            name=f"class {number}",
            reference=f"#{int(value):06x}",
            values=frozenset({value}) if not blurred else _near(value, chosen, counts),
        )
        for number, value in enumerate(chosen)
    )
    remarks = ("move the colour of unlabelled ground from [[classes]] to ignored",)
    if not blurred:
        return ClassDraft(classes=classes, remarks=remarks)
    blur = "the masks' colours are blurred: similar ones count as the class's (colour_tolerance)"
    return ClassDraft(classes=classes, tolerance=TOLERANCE, remarks=(*remarks, blur))


def _main_colours(counts: Counter[float]) -> list[float]:
    """Return the most frequent colours that are far from each other."""
    chosen: list[float] = []
    for value, count in counts.most_common():
        if count < LEAST * counts.total():
            break
        if all(_distance(value, other) > TOLERANCE for other in chosen):
            chosen.append(value)
    return chosen


def _near(value: float, chosen: Sequence[float], counts: Counter[float]) -> frozenset[float]:
    return frozenset(
        other
        for other in counts
        if _distance(other, value) <= TOLERANCE
        and min(chosen, key=lambda own: _distance(other, own)) == value
    )


def _distance(one: float, other: float) -> float:
    first, second = (
        np.array([int(v) >> 16, int(v) >> 8 & 255, int(v) & 255]) for v in (one, other)
    )
    return float(np.linalg.norm(first - second))


def _holder(masks: Sequence[MaskSurvey], value: float) -> str:
    return str(next(mask.path for mask in masks if value in mask.counts))
