"""CardScene: one image of a dataset, its reference and its split.

An entry ``[[scenes]]`` of a card names one image, or with ``*``, ``?`` or ``**`` many. What
the wildcards stand for pairs an image with its reference: ``tile1/images/*.jpg`` and
``tile1/masks/*.png`` pair files of one stem. Case does not matter: ``*.jpg`` finds
``A.JPG``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.text.toml_table import TomlTable
from geosrseg.datasets.block_split import BlockSplit

SPLITS = {"train": 1, "validation": 2, "test": 3}
"""Splits by name, with their value in a split raster."""

VECTORS = (".gpkg", ".geojson", ".json", ".shp", ".fgb", ".gml", ".kml", ".parquet")
"""Suffixes of files of polygons, of which one may serve many images."""

_WILDCARD = re.compile(r"(\*\*/|\*|\?)")
_INTERVAL = re.compile(r"\s*(\d*)\s*:\s*(\d*)\s*")


@dataclass(frozen=True, slots=True)
class Interval:
    """Rows or columns that are used, the others belong to no split.

    Attributes:
        start: the first.
        stop: the one after the last; None for all from `start` on.
    """

    start: int = 0
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"an interval holds at least one pixel, got {self}")

    def holds_part_of(self, length: int) -> bool:
        """True where it leaves something of `length` pixels."""
        return self.start < length

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read ``"800:"``, ``":400"`` or ``"800:1600"``.

        Raises:
            ValueError: it is none of these.
        """
        match = _INTERVAL.fullmatch(text)
        if not match or text.strip() == ":":
            raise ValueError(f"{text!r} is no interval")
        start, stop = match.groups()
        return cls(int(start or 0), int(stop) if stop else None)


@dataclass(frozen=True, slots=True)
class CardScene:
    """One image with its reference.

    Attributes:
        image: path of the native HR image.
        split: path of the split raster on the image's grid, a name in `SPLITS`, or blocks of
            which some validate.
        rows: rows that are used.
        cols: columns that are used.
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
        """All its files."""
        split = (self.split,) if isinstance(self.split, Path) else ()
        lr = (self.lr,) if self.lr else ()
        return (self.image, self.reference, *split, *lr)


def parse_scenes(table: TomlTable, *, data: Path) -> list[CardScene]:
    """The scenes of one entry of a card, sorted by their paths.

    Args:
        table: an entry ``[[scenes]]``.
        data: folder that its paths are relative to.

    Raises:
        ValueError: a value is wrong, or a file has no partner.
        FileNotFoundError: nothing fits a path with wildcards.
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
        raise table.wrong("split", "train, as some blocks of it validate (validation_block)")
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
    """The files of `key`, one for each image; polygons may be one file for all."""
    found = find_files(table, key, data)
    if [*found] == [()] and found[()].suffix.lower() in VECTORS:
        return dict.fromkeys(images, found[()])
    alone = [path for name, path in images.items() if name not in found]
    if alone:
        raise ValueError(
            f"{len(alone)} of {len(images)} images that fit {table.name} image = "
            f"{table.text('image')!r} have no partner that fits {key} = {table.text(key)!r}, "
            f"first {alone[0]}: the parts that the wildcards stand for are equal in both"
        )
    if alone := [path for name, path in found.items() if name not in images]:
        raise ValueError(
            f"{len(alone)} of {len(found)} files that fit {table.name} {key} = "
            f"{table.text(key)!r} have no image that fits image = {table.text('image')!r}, "
            f"first {alone[0]}: the parts that the wildcards stand for are equal in both"
        )
    return found


def find_files(table: TomlTable, key: str, data: Path) -> dict[tuple[str, ...], Path]:
    """Files by what the wildcards stand for, sorted; a path without wildcards is itself."""
    pattern = table.text(key)
    if "\\" in pattern and not (data / pattern).exists():
        pattern = pattern.replace("\\", "/")  # of a card from Windows
    if not _WILDCARD.search(pattern) or (data / pattern).is_file():
        return {(): data / pattern}
    found: dict[tuple[str, ...], Path] = {}
    for name, path in _matches(pattern, data):
        if name in found:
            raise ValueError(
                f"{table.name} {key} = {pattern!r} fits {found[name]} and {path}, which differ "
                "in nothing that the wildcards stand for: keep one of them, or write the suffix"
            )
        found[name] = path
    if not found:
        hint = ": only *, ** and ? are wildcards" if "[" in pattern else ""
        raise FileNotFoundError(f"{table.name} {key} = {pattern!r} fits no file{hint}")
    return found


def _matches(pattern: str, data: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    """What the wildcards stand for, in lower case, and the file; hidden files never match."""
    parts = pattern.replace("\\", "/").split("/")
    fixed = next(number for number, part in enumerate(parts) if _WILDCARD.search(part))
    folder = data.joinpath(*parts[: min(fixed, len(parts) - 1)])
    expression = re.compile(_regex("/".join(parts[fixed:])), re.IGNORECASE)
    for path in sorted(folder.rglob("*")):
        match = expression.fullmatch(path.relative_to(folder).as_posix())
        if match and path.is_file() and not path.name.startswith("."):
            yield tuple(text.lower() for text in match.groups()), path


def _regex(pattern: str) -> str:
    """A pattern as a regular expression, with a group for every wildcard."""
    meaning = {"**/": "((?:[^/]+/)*)", "*": "([^/]*)", "?": "([^/])"}
    return "".join(meaning.get(part, re.escape(part)) for part in _WILDCARD.split(pattern))
