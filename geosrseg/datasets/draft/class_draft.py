"""ClassDraft: the classes of a card, as the values of its masks suggest them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geosrseg.core.legend import NODATA, even_colour
from geosrseg.datasets.draft.mask_survey import MaskSurvey
from geosrseg.errors import DatasetError

MANY = 64
"""Values above which they hardly are so many classes."""

TOLERANCE = 60
"""How far a colour of a blurred mask may be from a class's."""

LEAST = 0.002
"""Share of the pixels that a colour of a blurred mask has at least, if it is a class's."""

SURE = 0.9
"""Share of a blurred mask's pixels near its two ends, if it is one of two classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedClass:
    """One class.

    Attributes:
        id: in class maps.
        name: to be replaced.
        reference: what the masks hold, as a card says it.
        values: the values of the masks that stand for it.
        colour: in maps; empty where the reference is the colour.
    """

    id: int
    name: str
    reference: str | int
    values: frozenset[float]
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDraft:
    """All classes.

    Attributes:
        classes: in the order of their ids.
        ignored: values without a class, as a card says them.
        tolerance: of colours; 0 where they are exact.
        column: of polygons, with their classes; empty where the references are rasters.
        remarks: what to look at, one line each.
    """

    classes: tuple[DraftedClass, ...]
    ignored: tuple[str | int, ...] = ()
    tolerance: int = 0
    column: str = ""
    remarks: tuple[str, ...] = ()

    def counts(self, values: Counter[float]) -> list[int]:
        """Pixels of each class among pixels by value."""
        return [sum(values[value] for value in item.values) for item in self.classes]


def draft_classes(masks: Sequence[MaskSurvey]) -> ClassDraft:
    """Classes that fit all masks.

    Args:
        masks: of a dataset, all numbers or all colours; see `in_one_kind`.

    Raises:
        DatasetError: there is one class only, or the values are of no classes.
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
            f"the masks hold one class only ({held}, first {masks[0].path}): expected two values "
            "or more, one of them for what is none of your classes"
        )
    return drafted


def in_one_kind(masks: Sequence[MaskSurvey]) -> list[MaskSurvey]:
    """The masks as numbers, or all as colours.

    A palette's numbers are the classes where all masks have the same one: else only its
    colours are.

    Raises:
        DatasetError: some hold colours and some numbers without.
    """
    palettes = [mask.palette for mask in masks]
    first = palettes[0]
    alike = all(
        (p is None) == (first is None) and (p is None or first is None or np.array_equal(p, first))
        for p in palettes
    )
    if alike and not any(mask.is_coloured for mask in masks):
        return [*masks]
    made = [mask.in_colours() for mask in masks]
    plain = [mask for mask in made if not mask.is_coloured]
    if plain and len(plain) < len(made):
        coloured = next(mask for mask in made if mask.is_coloured)
        raise DatasetError(
            f"{plain[0].path} holds numbers and {coloured.path} colours: masks of one dataset are "
            "all the one or all the other"
        )
    return made


def _of_numbers(counts: Counter[float], masks: Sequence[MaskSurvey]) -> ClassDraft:
    if odd := [value for value in counts if value != int(value)]:
        raise DatasetError(
            f"{_holder(masks, odd[0])} holds {odd[0]:g}: class ids are whole numbers; if it was "
            "resampled by interpolation, make it again with the nearest neighbour"
        )
    held = {int(value) for value in counts}
    binary = held == {0, NODATA}
    ignored = sorted(v for v in held if v < 0 or (v == NODATA and not binary))
    ids = sorted(held - set(ignored))
    if len(ids) > MANY and ids != [*range(len(ids))]:
        raise DatasetError(
            f"{_holder(masks, ids[-1])}: the masks hold {len(ids)} different values from {ids[0]} "
            f"to {ids[-1]}, as after a lossy format or resampling by interpolation: make them again"
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
        remarks.append("the masks hold no 0: what is none of these classes is not learned")
    elif as_they_are and ids != [*range(len(ids))]:
        remarks.append("the values have gaps: each is a class of its own")
    return ClassDraft(
        classes=tuple(classes),
        # 255 is ignored without being listed, and a listed one could not become a class.
        ignored=tuple(value for value in ignored if value != NODATA),
        remarks=(*remarks, *(f"{value} is taken for: no class" for value in ignored)),
    )


def _of_blurred_numbers(counts: Counter[float], masks: Sequence[MaskSurvey]) -> ClassDraft:
    """Two classes at the two ends of 8 bits, each with half of the values."""
    ends = sum(count for value, count in counts.items() if not 64 <= value < 192)
    halves = ("0-127", range(128)), ("128-255", range(128, 256))
    found = [sum(counts[value] for value in values) for _, values in halves]
    lossy = next(mask.path for mask in masks if mask.is_lossy)
    if ends < SURE * counts.total() or not all(found):
        raise DatasetError(
            f"{lossy} is compressed with loss, so it holds {len(counts)} values between its "
            "classes: save masks as PNG or GeoTIFF"
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
    remark = f"{lossy.name} is compressed with loss: each class takes the values nearer to its own"
    return ClassDraft(classes=tuple(classes), remarks=(remark,))


def _of_colours(counts: Counter[float], masks: Sequence[MaskSurvey]) -> ClassDraft:
    blurred = any(mask.is_lossy for mask in masks) or len(counts) > MANY
    chosen = _main_colours(counts) if blurred else sorted(counts, key=lambda v: -counts[v])
    if len(chosen) > MANY:
        raise DatasetError(
            f"{masks[0].path}: the masks hold {len(chosen)} colours, as photographs do: are these "
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
    remarks = ["a colour for what is not labelled belongs into ignored, not into [[classes]]"]
    if blurred:
        remarks.append(
            "the masks' colours are blurred: near ones count as a class's (colour_tolerance)"
        )
    return ClassDraft(
        classes=classes, tolerance=TOLERANCE if blurred else 0, remarks=tuple(remarks)
    )


def _main_colours(counts: Counter[float]) -> list[float]:
    """The most frequent ones that are far from each other."""
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
