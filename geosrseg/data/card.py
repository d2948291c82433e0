"""Dataset card: a TOML file that says where images and references lie and what they mean.

    name = "gewata"
    licence = "CC BY-SA 4.0"
    source = "where the data comes from"
    guard = 16                     # pixels kept between what trains and what is tested

    [bands]                        # reflectance that becomes 0 and 1
    blue = [0.0, 0.10]

    [[classes]]
    id = 1
    name = "cropland"
    colour = "#e8b84a"

    [[scenes]]
    image = "landsat7_sr_30m.tif"
    reference = "landcover_30m.tif"
    split = "split.tif"            # 1 train, 2 validation, 3 test; or the name of one split

Reference values that no class has are ignored.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosrseg.core.legend import Legend
from geosrseg.core.normalize import Normalization
from geosrseg.errors import DatasetError

SPLITS = {"train": 1, "validation": 2, "test": 3}
"""Splits by name, with their value in a split raster."""


@dataclass(frozen=True, slots=True)
class CardScene:
    """One image with its reference.

    Attributes:
        image: path of the native HR image.
        reference: path of the reference, on the image's grid.
        split: path of the split raster on the same grid, or a name in `SPLITS`.
    """

    image: Path
    reference: Path
    split: Path | str


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
        legend: the classes; every other reference value is ignored.
        guard: HR pixels around validation and test areas that never train.
        scenes: the images and their references.
    """

    name: str
    licence: str
    source: str
    bands: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    legend: Legend
    guard: int
    scenes: tuple[CardScene, ...]


def read_card(path: Path, *, data: Path) -> DatasetCard:
    """Read a card and find its files.

    Args:
        path: the TOML file.
        data: folder that the card's paths are relative to.

    Raises:
        DatasetError: the card is no valid TOML, lacks a value, or a file is missing.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        card = _parse(values, data)
    except OSError as error:
        raise DatasetError(f"cannot read the dataset card {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        detail = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise DatasetError(f"{path} is not a dataset card: {detail}") from error
    if missing := [file for scene in card.scenes for file in _files(scene) if not file.is_file()]:
        raise DatasetError(
            f"dataset {card.name}: {len(missing)} files not found, first {missing[0]}; "
            f"--data is {data}, the data comes from {card.source}"
        )
    return card


def _parse(values: dict[str, Any], data: Path) -> DatasetCard:
    bands: dict[str, list[float]] = values["bands"]
    guard = int(values.get("guard", 0))
    if guard < 0 or not values["scenes"]:
        raise ValueError(f"a guard of 0 or more and one scene or more, got guard {guard}")
    low = tuple(float(low) for low, _ in bands.values())
    high = tuple(float(high) for _, high in bands.values())
    Normalization(low, high, (0.0,) * len(bands))  # refuses what makes none
    return DatasetCard(
        name=str(values["name"]),
        licence=str(values["licence"]),
        source=str(values["source"]),
        bands=tuple(bands),
        low=low,
        high=high,
        legend=Legend.from_json(values["classes"]),
        guard=guard,
        scenes=tuple(_parse_scene(scene, data) for scene in values["scenes"]),
    )


def _parse_scene(values: dict[str, str], data: Path) -> CardScene:
    split = values["split"]
    return CardScene(
        image=data / values["image"],
        reference=data / values["reference"],
        split=split if split in SPLITS else data / split,
    )


def _files(scene: CardScene) -> tuple[Path, ...]:
    split = () if isinstance(scene.split, str) else (scene.split,)
    return (scene.image, scene.reference, *split)
