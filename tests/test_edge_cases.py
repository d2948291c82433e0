"""Odd TIFFs of other projects' tests: each gives a right map or one clear line.

`edge_cases.csv` says for every file what it gives. To make it again, and then read it line
by line:

    python -m tests.test_edge_cases > tests/edge_cases.csv
"""

import csv
import sys
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from tests.guarded import Ending, run_guarded
from tests.shared_data import ROOT, shared
from tests.tiny_models import make_onnx, make_spec

TABLE = Path(__file__).with_name("edge_cases.csv")
SCALE = 0.01
MAX_PIXELS = 4_000_000
"""Larger ones are refused for their size: their maps would take minutes."""

SHARES = 8
"""The files are tried in so many tests, which may run at once."""

CODEC = "compression"
"""Refused only where GDAL was built without it."""

REASONS = {
    "this GDAL lacks its compression": CODEC,
    "cannot be opened as a GeoTIFF": "no GeoTIFF",
    "cannot be read": "damaged",
    "its pixels are complex": "complex",
    "it is stored in blocks of": "blocks",
    "the file declares": "size",
    "the map would be": "size",
}
"""Part of a message -> the table's word for it."""


def rows() -> list[dict[str, str]]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reason(ending: Ending) -> str:
    words = [word for part, word in REASONS.items() if part in ending.message]
    return words[0] if words else ending.message


def examine(scene: Path, models: Path) -> Ending:
    """Map the first bands of a scene, three at most, and compare the map with rasterio's read."""
    bands = _bands(scene)
    chosen = ",".join(map(str, bands))
    words = f"predict --json -o OUT/map.tif --device cpu --threads 1 --bands {chosen}"
    words += f" --scale {SCALE} --offset 0 --max-pixels {MAX_PIXELS}"
    return run_guarded(
        [*words.split(), "-m", models / f"{len(bands)}.onnx", scene],
        check=partial(compare, scene, bands),
        judged=False,  # they are pictures of anything: it is the pixels that have to be right
    )


def compare(scene: Path, bands: list[int], folder: Path) -> str:
    """What is wrong with a map; empty if nothing."""
    with (
        rasterio.open(scene, driver="GTiff") as source,
        rasterio.open(folder / "map.tif") as made,
    ):
        return "; ".join(_differences(source, made, bands))


def _differences(source, made, bands: list[int]) -> Iterator[str]:
    """The tiny model is a function of the first band, pixel by pixel."""
    if (made.width, made.height) != (2 * source.width, 2 * source.height):
        yield f"{made.shape} for {source.shape}"
        return
    if not source.transform.is_degenerate and not np.allclose(made.bounds, source.bounds):
        yield f"bounds {made.bounds} for {source.bounds}"
    for row in range(0, source.height, 512):
        part = ((row, min(row + 512, source.height)), (0, source.width))
        numbers = source.read(bands, window=part)
        valid = (source.read_masks(bands, window=part) != 0).all(axis=0)
        valid &= np.isfinite(numbers).all(axis=0)
        alphas = [i for i, its in enumerate(source.colorinterp, 1) if its == ColorInterp.alpha]
        for alpha in alphas:  # GDAL heeds those of 8 and 16 bits only
            valid &= source.read(alpha, window=part) != 0
        for band, index in zip(numbers, bands, strict=True):
            if source.nodatavals[index - 1] is not None:  # beside a mask, GDAL forgets it
                valid &= band != source.nodatavals[index - 1]
        steps = np.clip(np.where(valid, numbers[0], 0) * SCALE, 0, 1)
        expected = np.where(valid, np.minimum(steps * 3, 2).astype(np.uint8) + 1, 255)
        labels = made.read(1, window=tuple((2 * start, 2 * stop) for start, stop in part))
        if not np.array_equal(labels, expected.repeat(2, 0).repeat(2, 1)):
            yield f"labels in rows {row} to {row + 511}"


def _bands(scene: Path) -> list[int]:
    """Its first bands that are not alpha, three at most."""
    try:
        with rasterio.open(scene, driver="GTiff") as dataset:
            meanings = zip(dataset.indexes, dataset.colorinterp, strict=True)
            return [index for index, its in meanings if its != ColorInterp.alpha][:3] or [1]
    except RasterioError:
        return [1]


def _write_models(folder: Path) -> None:
    for bands in (1, 2, 3):
        model = make_onnx(make_spec(bands=bands, upscale_factor=2, window_size=512))
        (folder / f"{bands}.onnx").write_bytes(model.SerializeToString())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.filterwarnings("ignore::rasterio.errors.NodataShadowWarning")
@pytest.mark.parametrize("share", range(SHARES))
def test_every_file_gives_a_right_map_or_one_clear_line(share, tmp_path):
    folder = shared("edge_cases")
    _write_models(tmp_path)
    expected = rows()[share::SHARES]
    endings = [examine(folder / row["file"], tmp_path) for row in expected]
    wrong = []
    for row, ending in zip(expected, endings, strict=True):
        if ending.fault or ending.found:
            wrong.append(f"{row['file']}: {ending.fault or ending.found}")
        elif ending.code == 0 and row["reason"] not in {"", CODEC}:
            wrong.append(f"{row['file']}: a map, expected {row['reason']}")
        elif ending.code == 1 and reason(ending) != row["reason"]:
            wrong.append(f"{row['file']}: {ending.message}, expected {row['reason'] or 'a map'}")
    assert not wrong, "\n".join(wrong)


def test_the_table_has_every_file():
    folder = shared("edge_cases")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.tif*")}
    assert files == {row["file"] for row in rows()}


def _print_table() -> None:
    folder = ROOT / "edge_cases"
    scenes = sorted(folder.rglob("*.tif*"))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "outcome", "reason"])
    with tempfile.TemporaryDirectory() as models, ThreadPoolExecutor(2) as pool:
        _write_models(Path(models))
        endings = pool.map(lambda scene: examine(scene, Path(models)), scenes)
        for scene, ending in zip(scenes, endings, strict=True):
            outcome = ending.fault or ending.found or ("refused" if ending.code else "map")
            writer.writerow([scene.relative_to(folder).as_posix(), outcome, reason(ending)])
            sys.stderr.write(f"{ending.seconds:6.1f} s  {scene.name}  {ending.message}\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    _print_table()
