"""Dataset card: a TOML file that describes a dataset's images, references and classes.

    name = "gewata"

    [bands]                        # reflectance that becomes 0 and 1
    blue = [0.0, 0.10]

    [[classes]]
    id = 1
    name = "cropland"
    colour = "#e8b84a"
    reference = 1                  # value or colour in the references; default: the id

    [[scenes]]
    image = "landsat7_sr_30m.tif"
    reference = "landcover_30m.tif"
    split = "split.tif"            # 1 train, 2 validation, 3 test; or the name of one split

A card of several kinds of images has ``[[sources]]`` in place of ``[[scenes]]``, see `source`.
docs/datasets.md describes every key.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.domain import REFLECTANCES, SURFACE, UNKNOWN, Domain
from geosrseg.core.legend import NODATA, Legend, LegendClass, even_colour
from geosrseg.core.normalize import Normalization
from geosrseg.core.text.toml_table import TomlTable
from geosrseg.datasets.card.card_scene import SPLITS as SPLITS
from geosrseg.datasets.card.card_scene import CardScene, parse_scenes
from geosrseg.datasets.card.image_format import ImageFormat, parse_image_format
from geosrseg.datasets.card.polygon_column import PolygonColumn, parse_polygon_column
from geosrseg.datasets.card.reference_coding import COLOUR, ReferenceCoding, parse_codes
from geosrseg.datasets.card.source import Source, parse_sources
from geosrseg.errors import DatasetError
from geosrseg.regular_file import read_regular

_KEYS = (
    *("name", "licence", "source", "guard", "ignored", "bands", "image", "classes", "scenes"),
    *("lr_bands", "lr_image", "sources", "colour_tolerance", "polygons"),
    *("resolution", "offered", "reflectance", "sensors", "region", "dates", "folder"),
)
_OF_SCENES = ("scenes", "guard", "image", "lr_bands", "lr_image")
"""Keys that exclude ``[[sources]]``."""
MAX_BYTES = 2**22
"""Largest card accepted; those in the documentation have a few kB."""

_CODES = (
    'a value from -32768 to 65535 such as 3, a range such as "128-255", a colour such as '
    '"#3c1098", or a list of them'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """Description of a dataset.

    Attributes:
        source: where the data comes from.
        bands: band names, in the order of the network's input.
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 1, one per band.
        coding: values or colours of the classes in the references; all others are ignored.
        guard: width in HR pixels around validation and test areas that never trains.
        image: how the images store reflectance, where the files do not state it.
        lr: the sensor of real LR images; None where the native images are degraded.
        sources: several kinds of images in place of scenes, see `Source`.
        polygons: meaning of the references where they are polygons, else None.
        domain: description of the images; its resolution is that of the native images,
            where their files have no georeference.
        groups: for each scene, the name of the group that a cross-validation keeps together;
            empty without one.
        fold: number of the validating fold, and number of folds; empty without folds.
    """

    name: str
    licence: str
    source: str
    bands: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    legend: Legend
    coding: ReferenceCoding
    guard: int
    scenes: tuple[CardScene, ...]
    image: ImageFormat
    lr: "LrSensor | None" = None
    sources: tuple[Source, ...] = ()
    polygons: PolygonColumn | None = None
    domain: Domain = UNKNOWN
    groups: tuple[str, ...] = ()
    fold: tuple[int, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the card names."""
        pairs = [file for source in self.sources for file in source.files]
        named = [path for pair in pairs for path in (pair.image, pair.reference)]
        return (*(path for scene in self.scenes for path in scene.files), *named)

    def bare_normalization(self, *, native: bool = True) -> Normalization:
        """Return the normalization of native or of real LR images, with a fill of 0.

        Args:
            native: of native images, even where real LR images exist.
        """
        low, high = (self.low, self.high) if native or not self.lr else (self.lr.low, self.lr.high)
        return Normalization(low, high, (0.0,) * len(self.bands))


@dataclass(frozen=True, slots=True)
class LrSensor:
    """The sensor of a dataset's real LR images.

    Attributes:
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 1, one per band.
        image: how the LR images store reflectance, where the files do not state it.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    image: ImageFormat


def read_card(path: Path, *, data: Path | None = None) -> DatasetCard:
    """Read a card and find its files.

    Args:
        data: folder that the card's paths are relative to; None takes the card's `folder`,
            which is relative to the card, or else the current one.

    Raises:
        DatasetError: the card is not valid TOML, or a value or file is missing or wrong.
    """
    try:
        text = read_regular(path, limit=MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"cannot read the dataset card {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a dataset card: it is not UTF-8 text") from error
    try:
        table = TomlTable(tomllib.loads(text))
        if data is None:
            data = path.parent / table.text("folder") if table.has("folder") else Path()
        card = _parse(table, data)
    except FileNotFoundError as error:
        raise DatasetError(f"{path}: {error}; --data is {data}") from error
    except ValueError as error:
        raise DatasetError(f"{path} is not a dataset card: {error}") from error
    _check_files(card, data)
    return card


def _check_files(card: DatasetCard, data: Path) -> None:
    missing = [file for file in card.files if not file.is_file()]
    if not missing:
        return
    if folder := next((file for file in missing if file.is_dir()), None):
        suffixes = Counter(file.suffix for file in folder.iterdir() if file.is_file())
        inside = folder.relative_to(data) / f"*{suffixes.most_common(1)[0][0] if suffixes else ''}"
        raise DatasetError(
            f"dataset {card.name}: {folder.relative_to(data)} is a folder: write "
            f"{inside.as_posix()} for the files in it"
        )
    raise DatasetError(
        f"dataset {card.name}: {len(missing)} files not found, first {missing[0]}; --data is "
        f"{data}, the data comes from {card.source}"
    )


def _parse(table: TomlTable, data: Path) -> DatasetCard:
    table.only(_KEYS)
    bands = table.table("bands")
    low, high = _ranges(bands)
    legend, coding, polygons = _parse_classes(table)
    sources: tuple[Source, ...] = ()
    scenes: list[CardScene] = []
    groups: list[str] = []
    if table.has("sources"):
        if other := [key for key in _OF_SCENES if table.has(key)]:
            raise ValueError(f"the card has [[sources]] and {other[0]}, expected only one of them")
        entries = table.tables("sources")
        sources = parse_sources(entries, data=data, coding=coding, bands=len(low))
    else:
        for entry in table.tables("scenes"):
            found = parse_scenes(entry, data=data)
            scenes += found
            groups += [entry.text("group") if entry.has("group") else ""] * len(found)
    return DatasetCard(
        name=table.text("name"),
        licence=table.text("licence", "unknown"),
        source=table.text("source", "unknown"),
        bands=tuple(bands.values),
        low=low,
        high=high,
        legend=legend,
        coding=coding,
        guard=table.integer("guard", 0),
        image=_image_format(table, "image", bands=len(low)),
        scenes=tuple(scenes),
        groups=tuple(groups),
        lr=_parse_lr(table, bands, scenes) if scenes else None,
        sources=sources,
        polygons=polygons,
        domain=_parse_domain(table),
    )


def _parse_domain(table: TomlTable) -> Domain:
    expected = "metres above 0, or a list of them"
    offered = table.items("offered", expected=expected)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and v > 0 for v in offered):
        raise table.wrong("offered", expected)
    expected = "a text, or a list of texts"
    sensors = table.items("sensors", expected=expected)
    if not all(isinstance(sensor, str) and sensor.strip() for sensor in sensors):
        raise table.wrong("sensors", expected)
    texts = {key: table.text(key) for key in ("reflectance", "region", "dates") if table.has(key)}
    if texts.get("reflectance", SURFACE) not in REFLECTANCES:
        raise table.wrong("reflectance", " or ".join(REFLECTANCES))
    return Domain(
        resolution=table.number("resolution") if table.has("resolution") else None,
        offered=tuple(map(float, offered)),
        reflectance=texts.get("reflectance", ""),
        sensors=tuple(sensors),
        region=texts.get("region", ""),
        dates=texts.get("dates", ""),
    )


def _parse_lr(table: TomlTable, bands: TomlTable, scenes: Sequence[CardScene]) -> LrSensor | None:
    """Read the LR sensor; without `lr_bands` it has the native sensor's ranges."""
    if len({scene.lr is None for scene in scenes}) > 1:
        raise ValueError("some [[scenes]] have lr and some have none, expected all or none")
    if scenes[0].lr is None:
        for key in ("lr_bands", "lr_image"):
            if table.has(key):
                raise ValueError(f"[{key}] is given, but no [[scenes]] has lr")
        return None
    ranges = table.table("lr_bands") if table.has("lr_bands") else bands
    if list(ranges.values) != list(bands.values):
        raise ValueError(
            f"[lr_bands] has {', '.join(ranges.values)}, expected the bands of [bands] in their "
            f"order: {', '.join(bands.values)}"
        )
    return LrSensor(*_ranges(ranges), _image_format(table, "lr_image", bands=len(bands.values)))


def _image_format(table: TomlTable, key: str, *, bands: int) -> ImageFormat:
    return parse_image_format(table.table(key) if table.has(key) else TomlTable({}), bands=bands)


def _ranges(table: TomlTable) -> tuple[tuple[float, ...], tuple[float, ...]]:
    expected = "[low, high], the reflectance that becomes 0 and the higher one that becomes 1"
    ranges = {band: table.numbers(band, count=2, expected=expected) for band in table.values}
    for band, (low, high) in ranges.items():
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise table.wrong(band, expected)
    lows, highs = zip(*ranges.values(), strict=True)
    return lows, highs


def _parse_classes(table: TomlTable) -> tuple[Legend, ReferenceCoding, PolygonColumn | None]:
    entries = sorted(table.tables("classes"), key=lambda entry: entry.integer("id"))
    _check_classes(entries)
    legend = Legend(
        tuple(
            _parse_class(entry, even_colour(number, len(entries)))
            for number, entry in enumerate(entries)
        )
    )
    if table.has("polygons"):
        column = parse_polygon_column(table, entries, legend)
        indices = tuple((index,) for index in range(len(legend)))
        return legend, ReferenceCoding(False, indices), column
    found = [
        _parse_codes(entry, "reference") if entry.has("reference") else [(False, (class_.id,))]
        for entry, class_ in zip(entries, legend.classes, strict=True)
    ]
    found.append(_parse_codes(table, "ignored"))
    kinds = {kind for items in found for kind, _ in items}
    if len(kinds) != 1:
        raise ValueError(
            "some classes or ignored values are numbers and some are colours, expected only one "
            "kind: give every class its reference value, or every class its colour"
        )
    *codes, ignored = (tuple(code for _, more in items for code in more) for items in found)
    is_coloured = kinds.pop()
    if table.has("colour_tolerance") and not is_coloured:
        raise ValueError("colour_tolerance is given, but the classes have numbers, not colours")
    tolerance = table.integer("colour_tolerance", 0)
    return legend, ReferenceCoding(is_coloured, tuple(codes), ignored, tolerance), None


def _check_classes(entries: Sequence[TomlTable]) -> None:
    names: dict[int, list[str]] = {}
    for entry in entries:
        names.setdefault(entry.integer("id"), []).append(entry.text("name"))
    for number, shared in names.items():
        if len(shared) > 1:
            raise ValueError(
                f"{len(shared)} [[classes]] have id {number} ({', '.join(shared)}): give each its "
                "own id; a class with several values has a list, reference = [1, 2]"
            )
    by_name = Counter(entry.text("name").casefold() for entry in entries)
    for name, times in by_name.items():
        if times > 1:  # reports have their figures by name
            raise ValueError(
                f"{times} [[classes]] are named {name}: give each its own name, or make them one "
                "class with a list, reference = [1, 2]"
            )
    if len(names) == 1:
        raise ValueError(
            f"there is only one class ({entries[0].text('name')}), expected two or more: give the "
            "pixels outside it a class too"
        )


def _parse_class(entry: TomlTable, colour: str) -> LegendClass:
    entry.only(("id", "name", "colour", "reference"))
    if entry.integer("id") >= NODATA:
        raise entry.wrong("id", f"0 to {NODATA - 1}")
    reference = entry.values.get("reference")
    if isinstance(reference, str) and COLOUR.fullmatch(reference):
        colour = reference  # maps look like the references
    if not COLOUR.fullmatch(entry.text("colour", colour)):
        raise entry.wrong("colour", "a colour such as #3c1098")
    return LegendClass(entry.integer("id"), entry.text("name"), entry.text("colour", colour))


def _parse_codes(table: TomlTable, key: str) -> list[tuple[bool, tuple[int, ...]]]:
    """Read the values of a class or of `ignored`, each with its kind: True for a colour."""
    try:
        return [parse_codes(item) for item in table.items(key, expected=_CODES)]
    except ValueError as error:
        raise ValueError(f"{table.name} {key} has {error}, expected {_CODES}".strip()) from error
