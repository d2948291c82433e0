"""Findings: likely mistakes in a dataset, in words that name file, value and share.

Each function yields the warnings of one kind, and raises what makes training useless.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import SPLITS
from geosrseg.datasets.check.common_ground import CommonGround
from geosrseg.datasets.check.image_survey import PERCENTS, ImageSurvey
from geosrseg.datasets.check.reference_survey import ReferenceSurvey
from geosrseg.datasets.reference import is_lossy
from geosrseg.datasets.scenes import unknown_codes
from geosrseg.errors import DatasetError

NARROW = 0.02
"""If all but 4 % of a band's values span less than this share of [low, high], the scale is
wrong."""

MUCH, MOST = 0.1, 0.5
"""Shares of a band's and of an image's values beyond [low, high], from which on to warn."""

LOST = 0.01
"""Largest share of a lossy reference's pixels without a class."""

SHOWN = 3
"""Most pairs of files that are named."""


def find_types(card: DatasetCard, images: Sequence[ImageSurvey]) -> Iterator[str]:
    """Find images of several data types, to which one scale would apply."""
    types = Counter(image.dtype for image in images)
    if len(types) == 1 or card.image.radiometry is None:
        return
    usual = types.most_common(1)[0][0]
    odd = [image for image in images if image.dtype != usual]
    text = (
        f"{odd[0].path} is {odd[0].dtype}, and {types[usual]} of {len(images)} images are {usual}: "
        "one scale applies to all images of a card, so store them in one data type"
    )
    if "uint8" in types:
        raise DatasetError(text)
    yield text


def find_turned(images: Sequence[ImageSurvey]) -> Iterator[str]:
    """Find photos that viewers show turned: masks drawn on them do not fit the stored pixels."""
    turned = [image for image in images if image.is_turned]
    if turned:
        yield (
            f"{turned[0].path} is shown turned by its EXIF orientation ({len(turned)} of "
            f"{len(images)} images), but read as stored: make its reference fit the stored "
            "pixels, or save the image upright"
        )


def find_ranges(card: DatasetCard, images: Sequence[ImageSurvey]) -> Iterator[str]:
    """Find bands where a wrong scale or [bands] hides the values from the network."""
    seen = [image for image in images if np.isfinite(image.percentiles).all()]
    if not seen:
        raise DatasetError(f"no image of {card.name} has a pixel that is valid in all bands")
    cut = [image for image in seen if image.beyond >= MOST]
    if len(cut) == len(seen) and min(image.beyond for image in seen) > 0.99:
        raise DatasetError(f"{_cut(card, seen[0])}; all images are like that")
    if cut:
        more = f" ({len(cut)} images are like that)" if len(cut) > 1 else ""
        yield f"{_cut(card, cut[0])}{more}"
    low, high = PERCENTS.index(2.0), PERCENTS.index(98.0)
    for number, (band, least, most) in enumerate(zip(card.bands, card.low, card.high, strict=True)):
        first = min(float(image.percentiles[number, low]) for image in seen)
        last = max(float(image.percentiles[number, high]) for image in seen)
        share = (min(last, most) - max(first, least)) / (most - least)
        beyond = float(np.mean([image.below[number] + image.above[number] for image in seen]))
        where = (
            f"after scale and offset, the values of {band} range from {first:.4g} to {last:.4g}, "
            f"and [bands] says {least:g} to {most:g}"
        )
        if share < NARROW and beyond < MOST:
            yield f"{where}: {max(share, 0):.1%} of the range is used: check scale and [bands]"
        elif beyond >= MUCH and not cut:
            yield f"{where}: {beyond:.0%} are outside and become 0 or 1: check scale and [bands]"


def _cut(card: DatasetCard, image: ImageSurvey) -> str:
    number = int(np.argmax(image.below + image.above))
    first, last = image.percentiles[number, [0, -1]]
    return (
        f"{image.path}: {image.beyond:.0%} of its values become 0 or 1: after scale and offset, "
        f"{card.bands[number]} ranges from {first:.4g} to {last:.4g}, and [bands] says "
        f"{card.low[number]:g} to {card.high[number]:g}: check scale and [bands]"
    )


def find_markers(images: Sequence[ImageSurvey]) -> Iterator[str]:
    """Find undeclared numbers that mark missing pixels, which would train as ground."""
    found: dict[float, list[tuple[ImageSurvey, float]]] = {}
    for image in images:
        for number, share in image.markers:
            found.setdefault(number, []).append((image, share))
    for number, places in found.items():
        image, share = max(places, key=lambda place: place[1])
        yield (
            f"{image.path}: {share:.1%} of its pixels are {number:g} in all bands, which is not "
            f"declared as nodata ({len(places)} of {len(images)} images): if it marks missing "
            f"pixels, write nodata = {number:g} into [image] of the card"
        )


def find_unknown(card: DatasetCard, references: Sequence[ReferenceSurvey]) -> Iterator[str]:
    """Find values without a class; too many in a lossy reference are an error."""
    for reference in references:
        lost = sum(reference.unknown.values())
        if lost > LOST * reference.pixels and is_lossy(reference.path):
            what, remedy = "values", 'give the classes ranges: reference = "0-127"'
            if card.coding.is_coloured:
                what = "colours"
                remedy = "accept similar colours: colour_tolerance = 60 in the card"
            raise DatasetError(
                f"{reference.path} is a JPEG or compressed like one, so its {what} are not exact: "
                f"{lost} of {reference.pixels} pixels ({lost / reference.pixels:.0%}) belong to no "
                f"class and would be lost. Save references as PNG or GeoTIFF, or {remedy}"
            )
    if text := unknown_codes(card, [(each.path, each.unknown) for each in references]):
        yield text + _shifted(card, references)


def _shifted(card: DatasetCard, references: Sequence[ReferenceSurvey]) -> str:
    """Return a hint where references hold 1 to N and the card names 0 to N - 1."""
    codes = [codes[0] for codes in card.coding.classes if len(codes) == 1]
    no_zero = not any(0 in reference.held for reference in references)
    beyond = any(len(codes) in reference.unknown for reference in references)
    if codes == [*range(len(card.legend))] and no_zero and beyond:
        return (
            f". They hold 1 to {len(codes)}, and the card names 0 to {len(codes) - 1}: write "
            "reference = 1 and so on into its [[classes]]"
        )
    return ""


def find_classes(card: DatasetCard, references: Sequence[ReferenceSurvey]) -> Iterator[str]:
    """Find classes that cannot be learned or validated."""
    totals = {split: count_classes(references, split) for split in SPLITS}
    train, validation = totals["train"], totals["validation"]
    if not train.any():
        raise DatasetError("no pixel of the training split has a class of the legend")
    if (train > 0).sum() == 1:
        raise DatasetError(
            f"the training references hold only one class ({_names(card, train > 0)}): expected "
            "two or more; are the others in another file, or in values that the card omits?"
        )
    if not train.all():
        yield (
            f"class {_names(card, train == 0)} has no pixel in the training split: the network "
            "cannot learn it, and maps will not show it"
        )
    if validation.any() and (missing := (validation == 0) & (train > 0)).any():
        yield (
            f"class {_names(card, missing)} has no pixel in the validation split: it has no say "
            "in the choice of the best epoch"
        )
    alone = [r for r in references if r.empty and len(r.held) == 1]
    others = [r for r in references if not r.empty and len(r.held) > 1]
    if alone and others:
        yield (
            f"{alone[0].path} holds one class, and 255 or nodata in {alone[0].empty} pixels "
            f"({alone[0].empty / alone[0].pixels:.0%}), while {others[0].path} holds several "
            f"classes and no 255 ({len(alone)} of {len(references)} references): is 255 a class "
            "there?"
        )


def find_leaks(pairs: Sequence[CommonGround]) -> Iterator[str]:
    """Find ground that both trains and is scored."""
    for number, pair in enumerate(pairs[:SHOWN], 1):
        if pair.same and pair.trained == pair.tested:
            what = f"{pair.tested} is in two splits, train and {pair.split}"
        elif pair.same:
            what = f"{pair.tested} ({pair.split}) holds the same pixels as {pair.trained} (train)"
        else:
            what = (
                f"{pair.share:.0%} of the ground of {pair.tested} ({pair.split}) is in "
                f"{pair.trained} (train), which is {pair.of_trained:.0%} of the latter"
            )
        rest = f" ({len(pairs) - SHOWN} more pairs)" if number == SHOWN < len(pairs) else ""
        yield f"{what}: scores of the {pair.split} split mean nothing; keep places apart{rest}"


def count_classes(references: Sequence[ReferenceSurvey], split: str) -> NDArray[np.int64]:
    """Return (classes,) pixels of each class in a split."""
    return np.sum([reference.classes[split] for reference in references], axis=0)


def _names(card: DatasetCard, chosen: NDArray[np.bool_]) -> str:
    """Return the names of chosen classes with their values in the references."""
    return ", ".join(
        f"{name} (reference {', '.join(map(card.coding.show, codes[:3]))})"
        for name, codes, is_chosen in zip(
            card.legend.names, card.coding.classes, chosen, strict=True
        )
        if is_chosen
    )
