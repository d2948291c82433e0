"""Data page: the result of a data check as one HTML file, with chips and their reference."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from numpy.typing import NDArray

from geosrseg.core.composite import choose_composite
from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import Normalization
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.check.data_check import DataCheck
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import open_labelled_scenes
from geosrseg.products.png import encode_png
from geosrseg.raster.storage.publication import check_output, publish_text
from geosrseg.version import __version__

CHIPS = 12
SIDE = 256
"""Maximum HR pixels along each side of a chip."""

OVERLAY = 0.55
"""Opacity of the class colours over the image."""


@dataclass(frozen=True, slots=True)
class PageChip:
    """A chip as the page shows it.

    Attributes:
        image: data URI of a PNG.
        overlay: the same image with the reference drawn over it.
        text: file, position and split of the chip.
    """

    image: str
    overlay: str
    text: str


def write_data_page(check: DataCheck, output: Path, *, overwrite: bool = False) -> None:
    """Write the page of a data check to `output`, which ends in ``.html``.

    Raises:
        OutputError: the file cannot be written.
    """
    check_output(output, suffixes=[".html"], overwrite=overwrite)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = resources.files(__package__).joinpath("data_page.html.jinja")
    text = environment.from_string(template.read_text(encoding="utf-8")).render(
        check=check, version=__version__, chips=_draw_chips(check.card)
    )
    publish_text(output, text)


def _draw_chips(card: DatasetCard) -> list[PageChip]:
    bare = Normalization(card.low, card.high, (0.0,) * len(card.bands))
    with open_labelled_scenes(card, normalization=bare, checked=True) as scenes:
        return [_draw(scene, window, card) for scene, window in _choose(scenes)]


def _choose(scenes: Sequence[LabelledScene]) -> Iterator[tuple[LabelledScene, Window]]:
    """Choose windows spread evenly over the scenes, the same ones every time."""
    generator = np.random.default_rng(0)
    numbers = np.linspace(0, len(scenes) - 1, CHIPS).round().astype(int)
    for number in numbers.tolist():
        used = scenes[number].split.used
        height, width = min(SIDE, used.height), min(SIDE, used.width)
        row = used.row_off + int(generator.integers(used.height - height + 1))
        col = used.col_off + int(generator.integers(used.width - width + 1))
        yield scenes[number], Window(row, col, height, width)


def _draw(scene: LabelledScene, window: Window, card: DatasetCard) -> PageChip:
    shown = [card.bands.index(name) for name in choose_composite(card.bands)]
    image = scene.read_hr(window)[shown].transpose(1, 2, 0) * 255
    labels = scene.read_reference(window)
    colours = np.zeros((256, 3), np.float32)
    colours[: len(card.legend)] = [item.rgb for item in card.legend.classes]
    labelled = (labels != NODATA)[..., None]
    mixed = np.where(labelled, (1 - OVERLAY) * image + OVERLAY * colours[labels], image)
    split = "blocks or a raster"
    if isinstance(scene.split.source, str):
        split = scene.split.source
    place = f"{scene.path.name}, row {window.row_off}, column {window.col_off}; {split}"
    return PageChip(_uri(image), _uri(mixed), place)


def _uri(pixels: NDArray[np.float32]) -> str:
    png = encode_png(np.rint(pixels).clip(0, 255).astype(np.uint8))
    return f"data:image/png;base64,{b64encode(png).decode()}"
