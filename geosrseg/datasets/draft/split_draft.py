"""SplitDraft: chooses which images train and which validate.

The two must not have similar ground. So whole places are held out where there are enough:
folders, or else images that share no ground. With fewer than five images, one in five blocks
of each validates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.datasets.block_split import ONE_IN, guard_of
from geosrseg.datasets.check.common_ground import find_overlaps, ground_of
from geosrseg.datasets.check.links import joined, links_by_value
from geosrseg.datasets.draft.band_draft import SurveyedImage
from geosrseg.datasets.draft.pairs import Pair

FEW_PLACES = 3
"""Fewest folders from which one can be held out."""

SHARES = (0.08, 0.35)
"""Range of the share of labelled pixels that may be held out."""

BLOCKS = (256, 128, 64)
"""Sides in pixels of blocks that may validate; the largest that covers all classes is used."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """Pixels of each class in an image.

    Attributes:
        all: (classes,) in the whole image; for polygons, all its pixels as one class.
        held_out: (sizes, classes) in the validating blocks, for each size of `BLOCKS`.
    """

    all: NDArray[np.int64]
    held_out: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDraft:
    """The splits of all images.

    Attributes:
        splits: split of each image.
        block: side of the blocks that validate within training images; None without blocks.
        guard: pixels between training and validation blocks.
        how: how the splits were chosen, in words.
    """

    splits: tuple[str, ...]
    block: int | None = None
    guard: int = 0
    how: str


def draft_splits(
    pairs: Sequence[Pair], images: Sequence[SurveyedImage], counts: Sequence[LabelCounts]
) -> SplitDraft:
    """Choose the split of each image; folders named after splits take precedence."""
    if any(pair.split == "train" for pair in pairs):
        splits = tuple(pair.split or "train" for pair in pairs)
        if "validation" in splits:
            return SplitDraft(splits=splits, how="by the names of folders")
        train = [number for number, split in enumerate(splits) if split == "train"]
        inner = _hold_out(
            [pairs[n] for n in train], [images[n] for n in train], [counts[n] for n in train]
        )
        of_train = dict(zip(train, inner.splits, strict=True))
        return SplitDraft(
            splits=tuple(of_train.get(n, split) for n, split in enumerate(splits)),
            block=inner.block,
            guard=inner.guard,
            how=f"by the names of folders, and {inner.how}",
        )
    return _hold_out(pairs, images, counts)


def _hold_out(
    pairs: Sequence[Pair], images: Sequence[SurveyedImage], counts: Sequence[LabelCounts]
) -> SplitDraft:
    by_folder = joined(links_by_value([pair.place for pair in pairs]), len(pairs))
    same_pixels = links_by_value([image.survey.digest for image in images])
    overlaps = find_overlaps([ground_of(image.grid) for image in images])
    by_ground = joined([*same_pixels, *((one, other) for one, other, _ in overlaps)], len(pairs))
    # Images of two folders may share ground.
    both = joined([*links_by_value(by_folder), *links_by_value(by_ground)], len(pairs))
    # Blocks of images that overlap would hold out ground that another image shows.
    overlap = 1 < len(set(by_ground)) < len(pairs)
    few = 2 if overlap else ONE_IN
    for groups, least, what in ((both, FEW_PLACES, "folder"), (by_ground, few, "place")):
        if len(set(groups)) >= least and (chosen := _choose(groups, counts)):
            splits = tuple("validation" if group in chosen else "train" for group in groups)
            number = f"{len(chosen)} of {len(set(groups))}"
            return SplitDraft(splits=splits, how=f"{number} {what}s held out to validate")
    how = f"few images: one in {ONE_IN} blocks of each validates"
    if overlap:
        how += "; the images overlap, so some of that ground trains in another image"
    block = _block(counts)
    side = min(min(i.grid.height, i.grid.width) for i in images)
    guard = guard_of(block, side=side)
    return SplitDraft(splits=("train",) * len(pairs), block=block, guard=guard, how=how)


def _choose(groups: Sequence[int], counts: Sequence[LabelCounts]) -> set[int]:
    """Choose the groups to hold out, so that as many classes as possible are on both sides."""
    ordered = list(dict.fromkeys(groups))
    candidates = (
        [set(ordered[first::ONE_IN]) for first in range(ONE_IN)]
        if len(ordered) >= ONE_IN
        else [{group} for group in ordered]
    )
    whole = np.sum([count.all for count in counts], axis=0)
    scored = []
    for number, chosen in enumerate(candidates):
        own = np.sum(
            [c.all for c, group in zip(counts, groups, strict=True) if group in chosen], axis=0
        )
        share = float(own.sum() / max(whole.sum(), 1))
        lost = int((own == 0).sum() + (own == whole).sum())
        if SHARES[0] <= share <= SHARES[1]:
            scored.append((lost, abs(share - 1 / ONE_IN), number))
    return candidates[min(scored)[2]] if scored else set()


def _block(counts: Sequence[LabelCounts]) -> int:
    """Return the largest block that leaves the fewest classes on only one side."""
    held_out = np.sum([count.held_out for count in counts], axis=0)  # (sizes, classes)
    whole = np.sum([count.all for count in counts], axis=0)
    lost = ((held_out == 0) | (held_out == whole)).sum(axis=1)
    return BLOCKS[int(np.argmin(lost))]
