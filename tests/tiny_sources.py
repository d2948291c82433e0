"""A tiny dataset of three sources: labels on the LR grid, labels with confidence, packed chips.

Class 1 is dark and class 2 is bright, in squares; every image has its own seed of noise.
"""

from pathlib import Path

import numpy as np

from tests.tiny_datasets import BANDS, write_raster

FACTOR = 3
LR_SIDE, SIDE, CHIP = 24, 96, 24

CARD = """
name = "mixed"
licence = "CC0"
source = "this test"
ignored = [0]

[bands]
red = [0.0, 1.0]
nir = [0.0, 1.0]

[[classes]]
id = 1
name = "dark"
colour = "#222222"

[[classes]]
id = 2
name = "bright"
colour = "#eeeeee"

[[sources]]
name = "coarse"
weight = 2.0
image = "coarse/*.tif"
reference = "coarse/labels/*.tif"
labels = "lr"
splits = "coarse/chips.csv"

[[sources]]
name = "fine"
weight = 1.0
image = "fine/*.tif"
reference = "fine/*_label.tif"
confidence_band = 2
reflectance = "toa"
sensor = "S2A"
validation = ["b*"]

[[sources]]
name = "packed"
weight = 1.0
image = "packed/*.tif"
reference = "packed/*_label.tif"
chip_grid = 24
scale = 0.002
nodata = 0
split = "train"
"""


def squares(side: int, size: int) -> np.ndarray:
    """(side, side) class ids 1 and 2."""
    rows, cols = np.mgrid[:side, :side] // size
    return np.where((rows + cols) % 2, 2, 1).astype(np.uint8)


def write_sources(folder: Path, *, card: str = CARD) -> Path:
    """Write all images, references and the card; returns the card's path."""
    for name in ("coarse/labels", "fine", "packed"):
        (folder / name).mkdir(parents=True)
    for seed, name in enumerate(("c0", "c1", "c2")):
        labels = squares(LR_SIDE, 6)
        _write_image(folder / f"coarse/{name}.tif", labels, seed)
        write_raster(folder / f"coarse/labels/{name}.tif", labels[None])
    rows = ["chip,group,split", "c0,1,train", "c1,1,train", "c2,2,validation"]
    (folder / "coarse/chips.csv").write_text("\n".join(rows), encoding="utf-8")
    for seed, name in enumerate(("a", "b"), 10):
        labels = squares(SIDE, 16)
        labels[:4] = 0
        confidence = np.full_like(labels, 80)
        confidence[:, :48] = 20
        _write_image(folder / f"fine/{name}.tif", labels, seed)
        write_raster(folder / f"fine/{name}_label.tif", np.stack([labels, confidence]))
    # Two by two chips, each of one class, told apart by their brightness too; one is empty.
    labels = np.kron(np.array([[1, 2], [2, 0]], np.uint8), np.ones((CHIP, CHIP), np.uint8))
    numbers = np.kron(np.array([[50, 200], [250, 0]]), np.ones((CHIP, CHIP), int))
    write_raster(folder / "packed/p.tif", np.stack([numbers, numbers]).astype(np.uint16))
    write_raster(folder / "packed/p_label.tif", labels[None])
    path = folder / "mixed.toml"
    path.write_text(card, encoding="utf-8")
    return path


def _write_image(path: Path, labels: np.ndarray, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.01, (2, *labels.shape))
    image = np.where(labels == 2, 0.4, 0.1) + noise
    write_raster(path, (image * 10_000).astype(np.int16), names=BANDS)
