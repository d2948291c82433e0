"""CardScene: one image of a dataset with its reference and its split.

An entry ``[[scenes]]`` of a card names one image, or many with the wildcards ``*``, ``?`` and
``**``. An image and its reference match the wildcards with the same text:
``tile1/images/*.jpg`` and ``tile1/masks/*.png`` pair files of the same stem. Case does not
matter: ``*.jpg`` finds ``A.JPG``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.text.toml_table import TomlTable
from geosrseg.datasets.block_split import BlockSplit

SPLITS = {"train": 1, "validation": 2, "test": 3}
"""Value of each split in a split raster."""

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
"""Suffixes of images and masks in folders without a card."""

VECTORS = (".gpkg", ".geojson", ".json", ".shp", ".fgb", ".gml", ".kml", ".parquet")
"""Suffixes of polygon files; one file may serve many images."""

_WILDCARD = re.compile(r"(\*\*/|\*|\?)")
_INTERVAL = re.compile(r"\s*(\d*)\s*:\s*(\d*)\s*")


@dataclass(frozen=True, slots=True)
class Interval:
    """Rows or columns that are used; all others are in no split.

    Attributes:
        start: first row or column.
        stop: end, exclusive; None extends to the image's edge.
    """

    start: int = 0
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"an interval has at least one pixel, got {self}")

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read ``"800:"``, ``":400"`` or ``"800:1600"``.

        Raises:
            ValueError: the text has another form, or the interval is empty.
        """
        match = _INTERVAL.fullmatch(text)
        if not match or text.strip() == ":":
            raise ValueError(f"{text!r} is not an interval")
        start, stop = match.groups()
        return cls(int(start or 0), int(stop) if stop else None)


@dataclass(frozen=True, slots=True)
class CardScene:
    """One image with its reference.

    Attributes:
        image: path of the native HR image.
        split: path of a split raster on the image's grid, a name in `SPLITS`, or blocks, some
            of which validate.
        lr: path of a real LR image of the same ground; None where the image is degraded.
    """

    image: Path
    reference: Path
    split: Path | str | BlockSplit
    rows: Interval = Interval()
    cols: Interval = Interval()
    lr: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        paths = (self.image, self.reference, self.split, self.lr)
        return tuple(path for path in paths if isinstance(path, Path))


def parse_scenes(table: TomlTable, *, data: Path) -> list[CardScene]:
    """Read the scenes of one entry ``[[scenes]]``, sorted by path.

    Args:
        data: folder that the paths are relative to.

    Raises:
        ValueError: a value is wrong, or a file has no partner.
        FileNotFoundError: no file matches a path with wildcards.
    """
    table.only(("image", "reference", "split", "validation_block", "rows", "cols", "lr", "group"))
    images = find_files(table, "image", data)
    references = _partners(table, "reference", images, data)
    splits: dict[tuple[str, ...], Path | str | BlockSplit]
    if table.text("split") in SPLITS:
        splits = dict.fromkeys(images, _named_split(table))
    else:
        splits = {**_partners(table, "split", images, data)}
    rows, cols = _interval(table, "rows"), _interval(table, "cols")
    lr = _partners(table, "lr", images, data) if table.has("lr") else {}
    return [
        CardScene(images[key], references[key], splits[key], rows, cols, lr.get(key))
        for key in images
    ]


def _named_split(table: TomlTable) -> str | BlockSplit:
    name = table.text("split")
    if not table.has("validation_block"):
        return name
    if name != "train":
        raise table.wrong("split", "train, as some of its blocks validate (validation_block)")
    return BlockSplit(table.integer("validation_block", least=1))


def _interval(table: TomlTable, key: str) -> Interval:
    if not table.has(key):
        return Interval()
    try:
        return Interval.parse(table.text(key))
    except ValueError as error:
        raise table.wrong(key, 'such as "800:", ":400" or "800:1600"') from error


def _partners(
    table: TomlTable, key: str, images: dict[tuple[str, ...], Path], data: Path
) -> dict[tuple[str, ...], Path]:
    """Find the file of `key` for each image; one polygon file may serve all images."""
    found = find_files(table, key, data)
    if [*found] == [()] and found[()].suffix.lower() in VECTORS:
        return dict.fromkeys(images, found[()])
    check_partners(table, {"image": images, key: found})
    check_partners(table, {key: found, "image": images})
    return found


def check_partners(table: TomlTable, files: Mapping[str, Mapping[tuple[str, ...], Path]]) -> None:
    """Refuse files of the first key that have no partner among those of the second.

    Args:
        files: for each of two keys, its files by the text that the wildcards match.
    """
    (key, own), (other, others) = files.items()
    if alone := [path for name, path in own.items() if name not in others]:
        raise ValueError(
            f"{len(alone)} of {len(own)} files that match {table.name} {key} = "
            f"{table.text(key)!r} have no partner that matches {other} = {table.text(other)!r}, "
            f"first {alone[0]}: the text in place of the wildcards has to be the same in both"
        )


def find_files(table: TomlTable, key: str, data: Path) -> dict[tuple[str, ...], Path]:
    """Find the files of `key`, sorted and keyed by the text that the wildcards match.

    A path without wildcards has the key ``()``, whether the file exists or not.
    """
    pattern = table.text(key)
    if "\\" in pattern and not (data / pattern).exists():
        pattern = pattern.replace("\\", "/")  # the card comes from Windows
    if not _WILDCARD.search(pattern) or (data / pattern).is_file():
        return {(): data / pattern}
    found: dict[tuple[str, ...], Path] = {}
    for name, path in _matches(pattern, data):
        if name in found:
            raise ValueError(
                f"{table.name} {key} = {pattern!r} matches {found[name]} and {path}, which the "
                "wildcards do not tell apart: keep one of them, or write the suffix"
            )
        found[name] = path
    if not found:
        hint = ": only *, ** and ? are wildcards" if "[" in pattern else ""
        raise FileNotFoundError(f"{table.name} {key} = {pattern!r} matches no file{hint}")
    return found


def _matches(pattern: str, data: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Yield the text that the wildcards match, in lower case, with the file; skip hidden ones."""
    parts = pattern.replace("\\", "/").split("/")
    fixed = next(number for number, part in enumerate(parts) if _WILDCARD.search(part))
    folder = data.joinpath(*parts[: min(fixed, len(parts) - 1)])
    meaning = {"**/": "((?:[^/]+/)*)", "*": "([^/]*)", "?": "([^/])"}
    pieces = _WILDCARD.split("/".join(parts[fixed:]))
    regex = "".join(meaning.get(piece, re.escape(piece)) for piece in pieces)
    expression = re.compile(regex, re.IGNORECASE)
    for path in sorted(folder.rglob("*")):
        match = expression.fullmatch(path.relative_to(folder).as_posix())
        if match and path.is_file() and not path.name.startswith("."):
            yield tuple(text.lower() for text in match.groups()), path
