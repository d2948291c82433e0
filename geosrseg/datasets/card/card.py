"""Dataset card: a TOML file that says where images and references lie and what they mean.

    name = "gewata"
    licence = "CC BY-SA 4.0"       # these two may be left out
    source = "where the data comes from"
    guard = 16                     # pixels kept between what trains and what is tested
    ignored = [0, 3]               # reference values that have no class on purpose

    [bands]                        # reflectance that becomes 0 and 1
    blue = [0.0, 0.10]

    [image]                        # where the files do not say it themselves
    scale = 0.0001

    [[classes]]
    id = 1
    name = "cropland"
    colour = "#e8b84a"
    reference = 1                  # value or colour in the references; the id, if left out

    [[scenes]]
    image = "landsat7_sr_30m.tif"
    reference = "landcover_30m.tif"
    split = "split.tif"            # 1 train, 2 validation, 3 test; or the name of one split

A card may mix several kinds of images, ``[[sources]]`` in place of ``[[scenes]]``: see
`source`. docs/datasets.md describes every key.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.domain import REFLECTANCES, UNKNOWN, Domain
from geosrseg.core.legend import NODATA, Legend, LegendClass, even_colour
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
"""Keys that a card with ``[[sources]]`` does not have."""
MAX_BYTES = 2**22
"""Of a card; those of the documentation have some kB."""

_CODES = (
    'a value from -32768 to 65535 such as 3, a range such as "128-255", a colour such as '
    '"#3c1098", or a list of them'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """What a dataset is.

    Attributes:
        name: of the dataset.
        licence: of the data.
        source: where the data comes from.
        bands: names, in the order of the network's input.
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 1, one per band.
        legend: the classes.
        coding: the classes in the references; what it does not name is ignored.
        guard: HR pixels around validation and test areas that never train.
        scenes: the images and their references.
        image: how the images store reflectance, where the files do not say it.
        lr: the sensor of real LR images; None where the native images are degraded.
        sources: several kinds of images in place of scenes, see `Source`.
        polygons: where the references are polygons, what they mean.
        domain: what the card says of the images: the resolution is that of the native
            ones, where their files have no georeference.
        groups: of each scene the name of those that it stays with in a cross-validation;
            empty where it has none.
        fold: number of the fold that validates, and of all folds; see `Fold`.
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
        """All files that it names."""
        pairs = [file for source in self.sources for file in source.files]
        named = [path for pair in pairs for path in (pair.image, pair.reference)]
        return (*(path for scene in self.scenes for path in scene.files), *named)


@dataclass(frozen=True, slots=True)
class LrSensor:
    """The sensor that the real LR images of a dataset come from.

    Attributes:
        low: its reflectance that becomes 0, one per band.
        high: its reflectance that becomes 1, one per band.
        image: how its images store reflectance, where the files do not say it.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    image: ImageFormat


def read_card(path: Path, *, data: Path | None = None) -> DatasetCard:
    """Read a card and find its files.

    Args:
        path: the TOML file.
        data: folder that the card's paths are relative to; None takes the card's `folder`,
            which is relative to the card, or the current one.

    Raises:
        DatasetError: the card is no valid TOML, a value is missing or wrong, or a file is
            missing.
    """
    try:
        text = read_regular(path, limit=MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"cannot read the dataset card {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a dataset card: it is no text in UTF-8") from error
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
    if missing:
        raise DatasetError(
            f"dataset {card.name}: {len(missing)} files not found, first {missing[0]}; "
            f"--data is {data}, the data comes from {card.source}"
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
            raise ValueError(f"the card has [[sources]] and {other[0]}, expected one of the two")
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
    sensors = table.items("sensors", expected="a text, or a list of texts")
    if not all(isinstance(sensor, str) and sensor.strip() for sensor in sensors):
        raise table.wrong("sensors", "a text, or a list of texts")
    reflectance = table.text("reflectance") if table.has("reflectance") else ""
    if reflectance and reflectance not in REFLECTANCES:
        raise table.wrong("reflectance", " or ".join(REFLECTANCES))
    return Domain(
        resolution=table.number("resolution") if table.has("resolution") else None,
        offered=tuple(map(float, offered)),
        reflectance=reflectance,
        sensors=tuple(sensors),
        region=table.text("region") if table.has("region") else "",
        dates=table.text("dates") if table.has("dates") else "",
    )


def _parse_lr(table: TomlTable, bands: TomlTable, scenes: Sequence[CardScene]) -> LrSensor | None:
    """The other sensor, with the ranges of the native one where it has none of its own."""
    if len({scene.lr is None for scene in scenes}) > 1:
        raise ValueError("some [[scenes]] have lr and some have none, expected all or none")
    if scenes[0].lr is None:
        for key in ("lr_bands", "lr_image"):
            if table.has(key):
                raise ValueError(f"[{key}] is given, and no [[scenes]] has lr")
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
    low, high = zip(*(_range(table, band) for band in table.values), strict=True)
    return low, high


def _range(ranges: TomlTable, band: str) -> tuple[float, float]:
    expected = "[low, high], the reflectance that becomes 0 and the higher one that becomes 1"
    low, high = ranges.numbers(band, count=2, expected=expected)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ranges.wrong(band, expected)
    return low, high


def _parse_classes(
    table: TomlTable,
) -> tuple[Legend, ReferenceCoding, PolygonColumn | None]:
    entries = sorted(table.tables("classes"), key=lambda entry: entry.integer("id"))
    _check_ids(entries)
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
    kinds_and_codes = [
        _parse_codes(entry, "reference") if entry.has("reference") else [(False, (class_.id,))]
        for entry, class_ in zip(entries, legend.classes, strict=True)
    ]
    ignored = _parse_codes(table, "ignored")
    kinds = {kind for found in (*kinds_and_codes, ignored) for kind, _ in found}
    if len(kinds) != 1:
        raise ValueError(
            "some classes or ignored values are numbers and some are colours, expected one of "
            "the two: give every class its reference value or colour"
        )
    codes = tuple(tuple(code for _, more in found for code in more) for found in kinds_and_codes)
    is_coloured = kinds.pop()
    if table.has("colour_tolerance") and not is_coloured:
        raise ValueError("colour_tolerance is given, and the classes have numbers, no colours")
    coding = ReferenceCoding(
        is_coloured,
        codes,
        tuple(code for _, more in ignored for code in more),
        tolerance=table.integer("colour_tolerance", 0),
    )
    return legend, coding, None


def _check_ids(entries: Sequence[TomlTable]) -> None:
    names: dict[int, list[str]] = {}
    for entry in entries:
        names.setdefault(entry.integer("id"), []).append(entry.text("name"))
    for number, shared in names.items():
        if len(shared) > 1:
            raise ValueError(
                f"{len(shared)} [[classes]] have id {number} ({', '.join(shared)}): give each its "
                "own; several values of one class are a list, reference = [1, 2]"
            )
    if len(names) == 1:
        raise ValueError(
            f"there is one class only ({next(iter(names.values()))[0]}), expected two or more: "
            "give pixels outside of it a class too"
        )


def _parse_class(entry: TomlTable, colour: str) -> LegendClass:
    entry.only(("id", "name", "colour", "reference"))
    if entry.integer("id") >= NODATA:
        raise entry.wrong("id", f"0 to {NODATA - 1}")
    reference = entry.values.get("reference")
    if isinstance(reference, str) and COLOUR.fullmatch(reference):
        colour = reference  # what the references show is what the map shows
    if not COLOUR.fullmatch(entry.text("colour", colour)):
        raise entry.wrong("colour", "a colour such as #3c1098")
    return LegendClass(entry.integer("id"), entry.text("name"), entry.text("colour", colour))


def _parse_codes(table: TomlTable, key: str) -> list[tuple[bool, tuple[int, ...]]]:
    """Each value of a class, or of the ignored ones, with its kind: True for a colour."""
    try:
        return [parse_codes(item) for item in table.items(key, expected=_CODES)]
    except ValueError as error:
        raise ValueError(f"{table.name} {key} has {error}, expected {_CODES}".strip()) from error
