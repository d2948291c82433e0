"""Finds the model's bands among those of a scene."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geosrseg.core.text.counted import counted
from geosrseg.errors import SceneError
from geosrseg.raster.header.band_names import Reading, band_number, canonical_name, read_numbers


@dataclass(frozen=True, slots=True)
class SceneBand:
    """One band as the file describes it.

    Attributes:
        index: its number in ``--bands``: GDAL's, from 1, or the sensor's own in a product.
        name: its description; empty if it has none.
        is_alpha: it marks usable pixels.
    """

    index: int
    name: str = ""
    is_alpha: bool = False


@dataclass(frozen=True, slots=True)
class BandChoice:
    """The scene's bands in the model's order.

    Attributes:
        indexes: one index per band of the model.
        warning: how the bands were found, where the file does not name them outright; else empty.
    """

    indexes: tuple[int, ...]
    warning: str = ""


def choose_bands(
    found: Sequence[SceneBand],
    *,
    model_bands: tuple[str, ...],
    option: str | None,
    file_name: str = "",
) -> BandChoice:
    """Find the model's bands in a scene.

    The user's choice comes first, then the names in the file. Bands without names are taken in
    order if there are as many as the model has.

    Args:
        found: every band of the scene.
        model_bands: names, in the model's order.
        option: ``--bands``: "1,2,3" in the model's order, or "green=3,red=4", which may
            leave out bands that the file names. A name that one band of the file has may
            replace a number.
        file_name: the scene's file name, which may tell the sensor.

    Raises:
        SceneError: a band is missing, ambiguous, or chosen twice.
    """
    named, reading, ambiguous = _find_names(found, model_bands, file_name)
    if option is not None:
        return BandChoice(_chosen_by_option(option, found, model_bands, named))
    if all(canonical_name(name) in named for name in model_bands):
        chosen = tuple(named[canonical_name(name)] for name in model_bands)
        return BandChoice(chosen, _how(reading, chosen, found, model_bands))
    data = [band for band in found if not band.is_alpha]
    if len(data) == len(model_bands) and not any(band.name for band in data):
        order = f"its bands have no names: taken in order for {', '.join(model_bands)}"
        return BandChoice(tuple(band.index for band in data), order)
    raise SceneError(
        f"the scene has {listed_bands(found)}, the model needs {', '.join(model_bands)}: "
        + _advice(ambiguous, found, model_bands, named)
    )


def _find_names(
    found: Sequence[SceneBand], model_bands: tuple[str, ...], file_name: str
) -> tuple[dict[str, int], Reading | None, list[Reading]]:
    """The bands found by name.

    Returns:
        Name -> index; the sensor whose numbers decided, or None; all sensors possible if several
        are.
    """
    words = _indexes(_words(found), found)
    if {canonical_name(name) for name in model_bands} <= words.keys():
        return words, None, []
    readings = read_numbers([band.name for band in found], file_name=file_name)
    wanted = {canonical_name(name) for name in model_bands}
    complete = []
    for reading in readings:
        named = {**_indexes(reading.names, found), **words}
        if wanted <= named.keys():
            complete.append((named, reading))
    if len({tuple(named[name] for name in sorted(wanted)) for named, _ in complete}) == 1:
        return *complete[0], []
    if not complete and len(readings) == 1:
        return {**_indexes(readings[0].names, found), **words}, readings[0], []
    return words, None, [reading for _, reading in complete]


def _words(found: Sequence[SceneBand]) -> list[str]:
    """The canonical name of each band.

    Bands SWIR 2 and 3 without a SWIR 1 are what others call SWIR 1 and 2.
    """
    names = [canonical_name(band.name) for band in found]
    if "swir3" in names and "swir1" not in names:
        names = [{"swir2": "swir1", "swir3": "swir2"}.get(name, name) for name in names]
    return names


def _indexes(names: Sequence[str], found: Sequence[SceneBand]) -> dict[str, int]:
    """Name -> index of every band with a unique name.

    Of several with one name, the one called exactly so is taken (``nir`` beside ``nir08``), else
    none. A narrow near infrared serves where there is no other.
    """
    indexes = {}
    for name in filter(None, names):
        same = [band for other, band in zip(names, found, strict=True) if other == name]
        exact = [band for band in same if band.name.strip().casefold() == name]
        for only in (same, exact):
            if len(only) == 1:
                indexes[name] = only[0].index
    if "nir narrow" in indexes and "nir" not in names:
        indexes["nir"] = indexes["nir narrow"]
    return indexes


def _how(
    reading: Reading | None,
    chosen: tuple[int, ...],
    found: Sequence[SceneBand],
    model_bands: tuple[str, ...],
) -> str:
    """How the bands were found, if by a sensor's numbers."""
    if reading is None:
        return ""
    names = {band.index: band.name for band in found}
    pairs = ", ".join(
        f"{name} {names[index]}" for name, index in zip(model_bands, chosen, strict=True)
    )
    return f"its band names follow the numbering of {reading.sensor.name}: {pairs}"


def _advice(
    ambiguous: Sequence[Reading],
    found: Sequence[SceneBand],
    model_bands: tuple[str, ...],
    named: Mapping[str, int],
) -> str:
    if ambiguous:
        options = []
        for reading in ambiguous:
            indexes = _indexes(reading.names, found)
            numbers = ",".join(str(indexes[canonical_name(name)]) for name in model_bands)
            options.append(f"`bands` {numbers} if it is of {reading.sensor.name}")
        return f"choose the sensor: {', '.join(options)}"
    missing = [name for name in model_bands if canonical_name(name) not in named]
    return f"assign them with `bands` {_example(missing)}, where N is the number or name of a band"


def _chosen_by_option(
    option: str,
    found: Sequence[SceneBand],
    model_bands: tuple[str, ...],
    named: Mapping[str, int],
) -> tuple[int, ...]:
    items = [item.strip() for item in option.split(",")]
    if any("=" in item for item in items):
        chosen = _by_name(items, found, model_bands, named)
    else:
        chosen = [_number(item, found, named) for item in items]
    if len(chosen) != len(model_bands) or len(set(chosen)) != len(chosen):
        raise SceneError(
            f"`bands` {option} chooses the bands {', '.join(map(str, chosen))}, expected "
            f"{len(model_bands)} distinct ones: {', '.join(model_bands)}"
        )
    return tuple(chosen)


def _by_name(
    items: list[str],
    found: Sequence[SceneBand],
    model_bands: tuple[str, ...],
    named: Mapping[str, int],
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
        said[name] = _number(number, found, named)
    indexes: Mapping[str, int] = {**named, **said}
    missing = [name for name in model_bands if canonical_name(name) not in indexes]
    if missing:
        raise SceneError(
            f"the scene has {listed_bands(found)}: `bands` leaves out {', '.join(missing)}, "
            f"expected as in {_example(model_bands)}"
        )
    return [indexes[canonical_name(name)] for name in model_bands]


def _number(text: str, found: Sequence[SceneBand], named: Mapping[str, int]) -> int:
    """The index of the band that a number, a name in the file, or a known name denotes."""
    text = text.strip()
    numbers = [str(band.index) for band in found]
    if text in numbers:
        return int(text)
    same = [band.index for band in found if band.name.casefold() == text.casefold() != ""]
    if not same and (number := band_number(text)):
        same = [band.index for band in found if band_number(band.name) == number]
    if not same and canonical_name(text) in named:
        same = [named[canonical_name(text)]]
    if len(same) == 1:
        return same[0]
    names = [band.name for band in found if band.name]
    or_name = f", or a name that one band has: {', '.join(names[:12])}" if names else ""
    few = ", ".join(numbers) if len(numbers) <= 12 else f"{numbers[0]} to {numbers[-1]}"
    raise SceneError(f"`bands` has {text!r}, expected a band's number: {few}{or_name}")


def _example(bands: Sequence[str]) -> str:
    return ",".join(f"{name}=N" for name in bands)


def listed_bands(found: Sequence[SceneBand]) -> str:
    """The first dozen bands as text, the alpha band marked."""
    shown = [
        f"{band.index} {band.name!r}{' (alpha)' * band.is_alpha}"
        if band.name
        else f"{band.index} ({'alpha' if band.is_alpha else 'no name'})"
        for band in found[:12]
    ]
    more = [f"{len(found) - 12} more"] if len(found) > 12 else []
    return f"{counted(len(found), 'band')}: " + ", ".join(shown + more)
