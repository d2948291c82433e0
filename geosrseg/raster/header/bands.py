"""Bands: which band of a scene is which band of the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geosrseg.errors import SceneError

SYNONYMS = {
    "nir08": "nir",
    "swir16": "swir1",
    "swir22": "swir2",
    "coastal aerosol": "coastal",
    "near infrared": "nir",
}
"""Other names of a band -> its name: STAC's common names, and the words of data sheets."""


@dataclass(frozen=True, slots=True)
class SceneBand:
    """One band as the file describes it.

    Attributes:
        index: the number by which ``--bands`` means it: 1-based, as GDAL counts, or the
            sensor's own in a product.
        name: its description, empty where it has none.
        is_alpha: it says which pixels are usable rather than what they look like.
    """

    index: int
    name: str = ""
    is_alpha: bool = False


@dataclass(frozen=True, slots=True)
class BandChoice:
    """The scene's bands in the model's order.

    Attributes:
        indexes: of the chosen bands, one per band of the model.
        guessed: the file does not name its bands; they were taken in their order.
    """

    indexes: tuple[int, ...]
    guessed: bool = False


def choose_bands(
    found: Sequence[SceneBand], *, model_bands: tuple[str, ...], option: str | None
) -> BandChoice:
    """Find the model's bands in a scene.

    What the user says comes first, then the names in the file. The order of bands
    without names is trusted only where their number is the model's.

    Args:
        found: every band of the scene.
        model_bands: names, in the model's order.
        option: ``--bands``: "1,2,3" in the model's order, or "green=3,red=4", which may
            leave out bands that the file names.

    Raises:
        SceneError: a band is missing, ambiguous, or chosen twice.
    """
    if option is not None:
        return BandChoice(_chosen_by_option(option, found, model_bands))
    named = _indexes_by_name(found)
    if all(canonical_name(name) in named for name in model_bands):
        return BandChoice(tuple(named[canonical_name(name)] for name in model_bands))
    data = [band for band in found if not band.is_alpha]
    if len(data) == len(model_bands) and not any(band.name for band in data):
        return BandChoice(tuple(band.index for band in data), guessed=True)
    raise SceneError(
        f"the scene has {_listed(found)}, the model wants {', '.join(model_bands)}: "
        f"say which is which with `bands` {_example(model_bands)}"
    )


def _chosen_by_option(
    option: str, found: Sequence[SceneBand], model_bands: tuple[str, ...]
) -> tuple[int, ...]:
    items = [item.strip() for item in option.split(",")]
    if any("=" in item for item in items):
        chosen = _by_name(items, found, model_bands)
    else:
        chosen = [_number(item, found) for item in items]
    if len(chosen) != len(model_bands) or len(set(chosen)) != len(chosen):
        raise SceneError(
            f"`bands` {option} chooses the bands {', '.join(map(str, chosen))}, expected "
            f"{len(model_bands)} that differ: {', '.join(model_bands)}"
        )
    return tuple(chosen)


def _by_name(
    items: list[str], found: Sequence[SceneBand], model_bands: tuple[str, ...]
) -> list[int]:
    said: dict[str, int] = {}
    for item in items:
        text, equals, number = item.partition("=")
        name = canonical_name(text)
        if not equals or name not in map(canonical_name, model_bands) or name in said:
            raise SceneError(
                f"`bands` has {item!r}, expected each of the model's bands at most once, "
                f"as in {_example(model_bands)}"
            )
        said[name] = _number(number, found)
    indexes: Mapping[str, int] = {**_indexes_by_name(found), **said}
    missing = [name for name in model_bands if canonical_name(name) not in indexes]
    if missing:
        raise SceneError(
            f"the scene has {_listed(found)}: `bands` leaves out {', '.join(missing)}, "
            f"expected as in {_example(model_bands)}"
        )
    return [indexes[canonical_name(name)] for name in model_bands]


def _number(text: str, found: Sequence[SceneBand]) -> int:
    text = text.strip()
    numbers = [str(band.index) for band in found]
    if text not in numbers:
        raise SceneError(f"`bands` has {text!r}, expected a band's number: {_range(numbers)}")
    return int(text)


def _range(numbers: list[str]) -> str:
    return ", ".join(numbers) if len(numbers) <= 12 else f"{numbers[0]} to {numbers[-1]}"


def _indexes_by_name(found: Sequence[SceneBand]) -> dict[str, int]:
    """Index of every band whose name is its own; a name that occurs twice says nothing."""
    keys = [canonical_name(band.name) for band in found]
    return {
        key: band.index
        for key, band in zip(keys, found, strict=True)
        if key and keys.count(key) == 1
    }


def canonical_name(name: str) -> str:
    """The name by which bands are compared: without case, and one of its synonyms."""
    key = name.strip().casefold()
    return SYNONYMS.get(key, key)


def _example(model_bands: tuple[str, ...]) -> str:
    return ",".join(f"{name}={k}" for k, name in enumerate(model_bands, start=1))


def _listed(found: Sequence[SceneBand]) -> str:
    """The bands in a few words: the first dozen, the alpha band marked."""
    shown = [
        f"{band.index} {band.name!r}{' (alpha)' * band.is_alpha}"
        if band.name
        else f"{band.index} ({'alpha' if band.is_alpha else 'no name'})"
        for band in found[:12]
    ]
    more = [f"{len(found) - 12} more"] if len(found) > 12 else []
    return f"{len(found)} band{'s' * (len(found) != 1)}: " + ", ".join(shown + more)
