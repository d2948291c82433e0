"""Source: one kind of images in a card of several kinds, and the meaning of its labels.

docs/datasets.md describes the keys of an entry ``[[sources]]``.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from geosrseg.core.text.toml_table import TomlTable
from geosrseg.datasets.card.card_scene import SPLITS, check_partners, find_files
from geosrseg.datasets.card.image_format import ImageFormat, parse_image_format
from geosrseg.datasets.card.reference_coding import ReferenceCoding, parse_codes
from geosrseg.regular_file import read_regular

KINDS = ("surface", "toa")
"""Kinds of reflectance: of the surface, and at the top of the atmosphere."""

SENSORS = ("S2A", "S2B")
"""Sensors whose images can be converted to what Landsat would see."""

MAX_TABLE_BYTES = 2**26
"""Largest table of splits accepted; a row has about 40 bytes."""

LABELS = ("target", "lr")
"""Grids that labels may have."""

_FORMAT = ("bands", "scale", "offset", "nodata")
_KEYS = (
    *("name", "weight", "image", "reference", "labels", "reflectance", "sensor", "chip_grid"),
    *("confidence_band", "ignored", "split", "splits", "validation", "test", *_FORMAT),
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An image of a source, its reference on the same grid, and the split of the whole image."""

    image: Path
    reference: Path
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of images, and the meaning of its labels.

    Attributes:
        weight: chips drawn from this source, relative to other sources.
        is_lr: the images are LR images, with labels on their grid; else both are native, on
            the target grid.
        reflectance: one of `KINDS`.
        sensor: one of `SENSORS`; None makes LR images by bicubic reduction.
        chip_grid: pixels along each side of the chips in a packed file; None where a file is
            one image.
        confidence_band: band of the reference with the labels' confidence in percent.
        coding: values of the classes in the references.
        image: how the images store reflectance, where the files do not state it.
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
        data: folder that the paths are relative to.
        coding: coding of the card.
        bands: number of bands in the card.

    Raises:
        ValueError: a value is wrong, or a file is in two splits.
        FileNotFoundError: no file matches a path.
    """
    if coding.is_coloured:
        raise ValueError("[[sources]] need references of numbers, but the classes have colours")
    sources = tuple(_parse(table, data=data, coding=coding, bands=bands) for table in tables)
    names = {source.name for source in sources}
    if len(names) < len(sources):
        raise ValueError("two [[sources]] have one name, expected distinct names")
    if names & set(LABELS):
        raise ValueError("a source has the name of a grid, expected one other than lr and target")
    return sources


def _parse(table: TomlTable, *, data: Path, coding: ReferenceCoding, bands: int) -> Source:
    table.only(_KEYS)
    weight = table.number("weight") if table.has("weight") else 1.0
    if not 0 <= weight < float("inf"):
        raise table.wrong("weight", "a number of 0 or more")
    is_lr = _choice(table, "labels", LABELS, default=LABELS[0]) == "lr"
    if is_lr and table.has("sensor"):
        raise table.wrong("sensor", 'none with labels = "lr", whose images are LR images')
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
    """Return the card's coding without the values that this source ignores."""
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
    """Find the images that have a reference, with their splits, sorted by the wildcards' text."""
    references, images = find_files(table, "reference", data), find_files(table, "image", data)
    check_partners(table, {"reference": references, "image": images})
    pairs = [(images[key], reference) for key, reference in references.items()]
    splits = _splits(table, [image.stem for image, _ in pairs], data)
    return tuple(SourceFile(*pair, splits[pair[0].stem]) for pair in pairs)


def _splits(table: TomlTable, names: list[str], data: Path) -> dict[str, str]:
    """Return the split of each image; names are those of files, without suffix."""
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
                raise ValueError(f"{table.name} {split}: {pattern!r} matches no image")
            for name in fitting:
                if splits[name] not in ("train", split):
                    raise ValueError(f"{table.name}: {name} is in validation and in test")
                splits[name] = split
    return splits


def _read_splits(path: Path, names: list[str]) -> dict[str, str]:
    """Read the column ``split`` of a table, keyed by its column ``chip``."""
    if not path.exists():
        raise FileNotFoundError(f"there is no table of splits {path}")
    text = read_regular(path, limit=MAX_TABLE_BYTES).decode("utf-8-sig")
    try:
        rows = list(csv.DictReader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise ValueError(f"{path} is not a CSV table ({error})") from error
    if not rows or not {"chip", "split"} <= set(rows[0]):
        raise ValueError(f"{path} has no rows or lacks the columns chip and split")
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
