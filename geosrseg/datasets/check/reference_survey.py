"""ReferenceSurvey: pixels of each class in a reference, by split."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.datasets.card.card_scene import SPLITS
from geosrseg.datasets.card.reference_coding import NO_CODE
from geosrseg.datasets.labelled_scene import LabelledScene


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSurvey:
    """The pixels of a reference.

    Attributes:
        classes: by split, (classes,) pixels of each class.
        unlabelled: by split, usable pixels without a class.
        unknown: pixels of each code that is missing in the card.
        empty: pixels that the file marks as empty, or that hold 255.
        held: class indices that occur in any split.
    """

    path: Path
    classes: Mapping[str, NDArray[np.int64]]
    unlabelled: Mapping[str, int]
    unknown: Mapping[int, int]
    empty: int
    pixels: int
    held: frozenset[int]


def survey_reference(scene: LabelledScene, *, classes: int) -> ReferenceSurvey:
    """Count the pixels of a scene's reference, a strip at a time."""
    splits = [split for split in SPLITS if scene.split.may_hold(split)]
    counts = {split: np.zeros(classes, np.int64) for split in SPLITS}
    unlabelled = dict.fromkeys(SPLITS, 0)
    unknown: Counter[int] = Counter()
    held: set[int] = set()
    empty = pixels = 0
    for strip in scene.strips():
        codes = scene.reference.read_codes(strip)
        indices = scene.reference.coding.decode(codes)
        unknown.update(scene.reference.coding.count_unknown(codes))
        empty += int((codes == NO_CODE).sum())
        pixels += codes.size
        held.update(np.unique(indices).tolist())
        for split, usable in scene.usable(strip, splits).items():
            found = np.bincount(indices[usable], minlength=NODATA + 1)
            counts[split] += found[:classes]
            unlabelled[split] += int(found[classes:].sum())
    return ReferenceSurvey(
        path=scene.reference.path,
        classes=counts,
        unlabelled=unlabelled,
        unknown=unknown,
        empty=empty,
        pixels=pixels,
        held=frozenset(held - {NODATA}),
    )
