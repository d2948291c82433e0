"""Source: one kind of images of a card that mixes several, with what its labels mean.

An entry ``[[sources]]`` of a card::

    [[sources]]
    name = "cities"
    weight = 3.0                        # chips drawn from it, beside the other sources'
    image = "s2_10m/*.tif"
    reference = "s2_10m/*_dw.tif"       # an image without a reference is not used
    labels = "target"                   # or "lr": the image is the LR image
    reflectance = "toa"                 # or "surface"
    sensor = "S2A"                      # LR images are made as Landsat would see it
    confidence_band = 2                 # of the reference, percent: weight of a pixel
    chip_grid = 64                      # the file is packed of chips that are no neighbours
    ignored = [7]                       # reference values that are not trusted here
    validation = ["beihai_*"]           # names of images; all others train

``split = "train"`` puts all in one split, ``splits = "chips.csv"`` takes a table with the
columns ``chip`` and ``split``, and ``group``, of which none may be in two splits. ``bands``,
``scale``, ``offset`` and ``nodata`` are those of ``[image]``, for this source.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from geosrseg.core.text.toml_table import TomlTable
from geosrseg.datasets.card.card_scene import SPLITS, find_files
from geosrseg.datasets.card.image_format import ImageFormat, parse_image_format
from geosrseg.datasets.card.reference_coding import ReferenceCoding, parse_codes
from geosrseg.regular_file import read_regular

KINDS = ("surface", "toa")
"""Kinds of reflectance: of the ground, and with the atmosphere in front of it."""

SENSORS = ("S2A", "S2B")
"""Sensors whose images can be turned into what Landsat would see."""

MAX_TABLE_BYTES = 2**26
"""Of a table of splits; a row has some 40 bytes."""

LABELS = ("target", "lr")
"""Grids that labels lie on."""

_FORMAT = ("bands", "scale", "offset", "nodata")
_KEYS = (
    *("name", "weight", "image", "reference", "labels", "reflectance", "sensor", "chip_grid"),
    *("confidence_band", "ignored", "split", "splits", "validation", "test", *_FORMAT),
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An image of a source.

    Attributes:
        image: its file.
        reference: the file of its labels, on its grid.
        split: the split that the whole source is in.
    """

    image: Path
    reference: Path
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of images, and what its labels mean.

    Attributes:
        name: of the source.
        weight: chips are drawn from it in proportion to this.
        is_lr: the images are LR images and the labels lie on their grid; else both are
            native, on the target grid.
        reflectance: one of `KINDS`.
        sensor: one of `SENSORS`; None where LR images are made by bicubic reduction.
        chip_grid: pixels along each side of the chips that a file is packed of; None where
            a file is one image.
        confidence_band: band of the reference with the labels' confidence in percent.
        coding: the classes in its references.
        image: how its images store reflectance, where the files do not say it.
        files: the images.
    """

    name: str
    weight: float
    is_lr: bool
    reflectance: str
    sensor: str | None
    chip_grid: int | None
    confidence_band: int | None
    coding: ReferenceCoding
    image: ImageFormat
    files: tuple[SourceFile, ...]


def parse_sources(
    tables: Sequence[TomlTable], *, data: Path, coding: ReferenceCoding, bands: int
) -> tuple[Source, ...]:
    """Read all entries ``[[sources]]`` of a card.

    Args:
        tables: the entries.
        data: folder that their paths are relative to.
        coding: of the card.
        bands: number of the card's bands.

    Raises:
        ValueError: a value is wrong, or a file is in two splits.
        FileNotFoundError: nothing fits a path.
    """
    if coding.is_coloured:
        raise ValueError("[[sources]] take references of numbers, and the classes have colours")
    sources = tuple(_parse(table, data=data, coding=coding, bands=bands) for table in tables)
    if len({source.name for source in sources}) < len(sources):
        raise ValueError("two [[sources]] have one name, expected names that differ")
    if {source.name for source in sources} & set(LABELS):
        raise ValueError("a source is called like a grid, expected a name other than lr and target")
    return sources


def _parse(table: TomlTable, *, data: Path, coding: ReferenceCoding, bands: int) -> Source:
    table.only(_KEYS)
    weight = table.number("weight") if table.has("weight") else 1.0
    if not 0 <= weight < float("inf"):
        raise table.wrong("weight", "a number of 0 or more")
    is_lr = _choice(table, "labels", LABELS, default=LABELS[0]) == "lr"
    if is_lr and table.has("sensor"):
        raise table.wrong("sensor", 'nothing beside labels = "lr", whose images are LR images')
    packed, trusted = table.has("chip_grid"), table.has("confidence_band")
    stored = {key: table.values[key] for key in _FORMAT if table.has(key)}
    return Source(
        name=table.text("name"),
        weight=weight,
        is_lr=is_lr,
        reflectance=_choice(table, "reflectance", KINDS, default=KINDS[0]),
        sensor=_choice(table, "sensor", SENSORS) if table.has("sensor") else None,
        chip_grid=table.integer("chip_grid", least=8) if packed else None,
        confidence_band=table.integer("confidence_band", least=2) if trusted else None,
        coding=_without(coding, table),
        image=parse_image_format(TomlTable(stored, table.name), bands=bands),
        files=_files(table, data),
    )


def _choice(
    table: TomlTable, key: str, choices: tuple[str, ...], default: str | None = None
) -> str:
    value = table.text(key, default)
    if value not in choices:
        raise table.wrong(key, f"one of {', '.join(choices)}")
    return value


def _without(coding: ReferenceCoding, table: TomlTable) -> ReferenceCoding:
    """The card's coding, less the values that are not trusted in this source."""
    expected = "reference values such as 3, or a list of them"
    ignored = set(coding.ignored)
    for item in table.items("ignored", expected=expected):
        try:
            is_coloured, codes = parse_codes(item)
        except ValueError as error:
            raise table.wrong("ignored", expected) from error
        if is_coloured:
            raise table.wrong("ignored", expected)
        ignored.update(codes)
    classes = tuple(tuple(c for c in codes if c not in ignored) for codes in coding.classes)
    return replace(coding, classes=classes, ignored=tuple(sorted(ignored)))


def _files(table: TomlTable, data: Path) -> tuple[SourceFile, ...]:
    """The images that have a reference, with their splits, sorted by what differs in names."""
    references, images = find_files(table, "reference", data), find_files(table, "image", data)
    if alone := [path for key, path in references.items() if key not in images]:
        raise ValueError(
            f"{table.name}: {len(alone)} of {len(references)} references have no image that fits "
            f"image = {table.text('image')!r}, first {alone[0]}: the parts that the wildcards "
            "stand for are equal in both"
        )
    pairs = [(images[key], reference) for key, reference in references.items()]
    splits = _splits(table, [image.stem for image, _ in pairs], data)
    return tuple(SourceFile(*pair, splits[pair[0].stem]) for pair in pairs)


def _splits(table: TomlTable, names: list[str], data: Path) -> dict[str, str]:
    """The split of each image by the name of its file, without suffix."""
    ways = [key for key in ("split", "splits") if table.has(key)]
    if table.has("validation") or table.has("test"):
        ways.append("validation and test")
    if len(ways) != 1:
        raise ValueError(
            f"{table.name} has {' and '.join(ways) or 'no split'}, expected one of split, splits, "
            "or validation and test"
        )
    if ways == ["split"]:
        return dict.fromkeys(names, _choice(table, "split", tuple(SPLITS)))
    if ways == ["splits"]:
        return _read_splits(data / table.text("splits"), names)
    return _listed_splits(table, names)


def _listed_splits(table: TomlTable, names: list[str]) -> dict[str, str]:
    splits = dict.fromkeys(names, "train")
    for split in ("validation", "test"):
        for pattern in table.items(split, expected="a list of names"):
            fitting = [name for name in names if fnmatchcase(name, str(pattern))]
            if not fitting:
                raise ValueError(f"{table.name} {split}: {pattern!r} fits no image")
            for name in fitting:
                if splits[name] not in ("train", split):
                    raise ValueError(f"{table.name}: {name} is in validation and in test")
                splits[name] = split
    return splits


def _read_splits(path: Path, names: list[str]) -> dict[str, str]:
    """The column ``split`` of a table, by its column ``chip``."""
    if not path.exists():
        raise FileNotFoundError(f"the table of splits {path} is not there")
    text = read_regular(path, limit=MAX_TABLE_BYTES).decode("utf-8-sig")
    try:
        rows = list(csv.DictReader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise ValueError(f"{path} is no table ({error})") from error
    if not rows or not {"chip", "split"} <= set(rows[0]):
        raise ValueError(f"{path} has not the columns chip and split")
    splits = {row["chip"]: row["split"] for row in rows}
    if unknown := {split for split in splits.values() if split not in SPLITS}:
        raise ValueError(f"{path} has the split {min(unknown)!r}, expected {', '.join(SPLITS)}")
    of_group: dict[str, str] = {}
    for row in rows:
        group = row.get("group") or f"chip {row['chip']}"
        if of_group.setdefault(group, row["split"]) != row["split"]:
            raise ValueError(f"{path}: group {group} is in {of_group[group]} and {row['split']}")
    if missing := [name for name in names if name not in splits]:
        raise ValueError(f"{path} has no row for {missing[0]} and {len(missing) - 1} more images")
    return splits
