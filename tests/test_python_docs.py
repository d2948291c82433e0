"""The Python that docs/python.md shows, block after block, with a model that is quick."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import rasterio
from rasterio.windows import Window

from geosrseg.runtime.shipped_models import DEFAULT_MODEL
from tests.tiny_datasets import write_dataset
from tests.tiny_models import make_onnx, make_spec

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_block_runs(tmp_path, monkeypatch):
    pytest.importorskip("rioxarray")
    monkeypatch.chdir(tmp_path)
    with rasterio.open(ROOT / "docs" / "demo" / "liverpool.tif") as whole:
        window = Window(40, 30, 48, 40)
        place = {"width": 48, "height": 40, "transform": whole.window_transform(window)}
        names = whole.descriptions
        profile = whole.profile | place | {"tiled": False}
        with rasterio.open("scene.tif", "w", **profile) as scene:
            scene.write(whole.read(window=window))
            scene.descriptions = names
            scene.scales, scene.offsets = whole.scales, whole.offsets
    weights = tmp_path / "weights"
    weights.mkdir()
    model = make_onnx(replace(make_spec(bands=6), bands=names))
    for name in ("gewata-4x", DEFAULT_MODEL):
        (weights / f"{name}.onnx").write_bytes(model.SerializeToString())
    monkeypatch.setattr("geosrseg.runtime.shipped_models.weights_folder", lambda: weights)
    shutil.move(write_dataset(tmp_path), tmp_path / "card.toml")
    space: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/python.md", "exec"), space)
    with rasterio.open("b.tif") as one, rasterio.open("labels.tif") as other:
        assert one.transform.almost_equals(other.transform)
    assert space["found"].labels.shape == (160, 192)
    assert {path.name for path in tmp_path.glob("*.gpkg")} == {"d.gpkg", "e.gpkg"}
