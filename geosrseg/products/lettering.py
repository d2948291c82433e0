"""Lettering: draws text into a picture without a font library.

`glyphs.png` holds the glyphs, rendered once from DejaVu Sans 2.37 and DejaVu Sans Bold at 18
pixels (dejavu-fonts.github.io; the licence lets anyone use and embed them). It has 24 x 16 cells
of 26 x 28 pixels: printable Latin-1 in order, regular in the upper half and bold in the lower.
The white line at the top of a cell is as long as the glyph's advance. The glyph is below it, 2
pixels from the left, with the baseline at row 22.

Pillow would need a font file too: its built-in font has no é, and fonts of other scripts are not
installed on servers.
"""

from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray

from geosrseg.raster.storage.gdal import unreferenced_allowed

LINE_HEIGHT = 28
"""Rows of a line of text."""

_CELL_WIDTH, _BEARING = 26, 2
_COLUMNS, _ROWS_PER_STYLE = 24, 8
_CHARACTERS = [chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))]


class Glyph(NamedTuple):
    """One character: coverage from 0 to 1, and distance to the next character in pixels."""

    coverage: NDArray[np.float32]
    advance: int


def can_draw(text: str) -> bool:
    """Whether every character has a glyph."""
    return set(text) <= set(_CHARACTERS)


def text_width(text: str, *, bold: bool = False) -> int:
    """Columns that `draw_text` fills."""
    return sum(glyph.advance for glyph in _glyphs(text, bold=bold))


def fit_text(text: str, width: int, *, bold: bool = False) -> str:
    """The text, shortened with three dots if it is wider than `width` pixels."""
    if text_width(text, bold=bold) <= width:
        return text
    while text and text_width(text + "...", bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "..."


def wrap_text(text: str, width: int, *, most: int = 5) -> list[str]:
    """Wrap the text to `width` pixels; text beyond `most` lines is cut off."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        elif len(lines) < most:
            lines.append(fit_text(word, width))
        else:
            lines[-1] = fit_text(f"{lines[-1]} ...", width)
            break
    return lines


def draw_text(
    picture: NDArray[np.uint8],
    text: str,
    *,
    row: int,
    col: int,
    colour: tuple[int, int, int],
    bold: bool = False,
) -> None:
    """Draw a line of text into a picture; text beyond its edges is cut off.

    Args:
        picture: (rows, cols, 3), changed in place.
        text: characters outside Latin-1 become question marks.
        row: first of the `LINE_HEIGHT` rows of the line.
        col: first column of the text.
        colour: red, green, blue.
    """
    for glyph in _glyphs(text, bold=bold):
        left = max(col - _BEARING, 0)
        place = picture[row : row + LINE_HEIGHT, left : left + _CELL_WIDTH]
        coverage = glyph.coverage[: place.shape[0], : place.shape[1], None]
        place[:] = np.rint(place + (np.array(colour) - place) * coverage)
        col += glyph.advance


def _glyphs(text: str, *, bold: bool) -> list[Glyph]:
    alphabet = _alphabet(bold)
    return [alphabet.get(character, alphabet["?"]) for character in text]


@cache
def _alphabet(bold: bool) -> dict[str, Glyph]:
    atlas = _read_atlas()
    glyphs = {}
    for place, character in enumerate(_CHARACTERS):
        line, column = divmod(place, _COLUMNS)
        top = (line + _ROWS_PER_STYLE * bold) * LINE_HEIGHT
        cell = atlas[top : top + LINE_HEIGHT, column * _CELL_WIDTH : (column + 1) * _CELL_WIDTH]
        coverage = np.divide(cell, 255, dtype=np.float32)
        coverage[0] = 0
        glyphs[character] = Glyph(coverage, int(np.count_nonzero(cell[0])))
    return glyphs


@cache
def _read_atlas() -> NDArray[np.uint8]:
    source = resources.files("geosrseg.products") / "glyphs.png"
    with (
        resources.as_file(source) as path,
        unreferenced_allowed(),
        rasterio.open(path, driver="PNG") as dataset,
    ):
        return dataset.read(1)
