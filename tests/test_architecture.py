"""What may import what, and what must not be loaded when."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
TRAINING = {"torch", "lightning", "torchmetrics", "safetensors"}
MAPPING = {"numpy", "rasterio", "onnx", "onnxruntime", "openvino", "shapely", "affine", "tqdm"}


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running `code`."""
    report = "\nimport json, sys\nprint(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    result = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


def command(*args: str | Path) -> str:
    words = ["geosrseg", *map(str, args)]
    return (
        f"import sys\nsys.argv = {words}\n"
        "from geosrseg.cli.main import main\n"
        "assert not main(standalone_mode=False)"
    )


def test_the_import_contracts_are_kept(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])  # which import-linter adds to
    assert lint_imports(no_cache=True) == 0


def test_importing_the_package_loads_nothing_large():
    assert not loaded_by("import geosrseg") & (TRAINING | MAPPING | {"click"})


@pytest.mark.parametrize("args", [["--help"], ["predict", "--help"]])
def test_help_loads_nothing_large(args):
    assert not loaded_by(command(*args)) & (TRAINING | MAPPING)


def test_the_versions_are_told_without_pytorch():
    assert not loaded_by(command("--version")) & (TRAINING | {"onnxruntime", "openvino"})


def test_predict_does_not_load_what_training_needs(tmp_path, tiny_model):
    scene, output = tmp_path / "scene.tif", tmp_path / "classes.tif"
    profile = {"driver": "GTiff", "dtype": "float32", "count": 3, "height": 9, "width": 11}
    transform = Affine(30, 0, 0, 0, -30, 0)
    with rasterio.open(scene, "w", crs="EPSG:32637", transform=transform, **profile) as file:
        file.write(np.full((3, 9, 11), 0.2, np.float32))
    run = command("predict", scene, "-o", output, "-m", tiny_model(bands=3), "--bands", "1,2,3")
    loaded = loaded_by(run)
    assert output.is_file()
    assert not loaded & TRAINING
    assert loaded >= {"numpy", "rasterio", "onnxruntime"}  # it did run here


def test_a_room_is_read_at_a_glance():
    """At most fifteen files beside ``__init__.py`` in a folder."""
    rooms: dict[Path, int] = {}
    for file in (ROOT / "geosrseg").rglob("*.py"):
        rooms[file.parent] = rooms.get(file.parent, 0) + (file.name != "__init__.py")
    assert {room: count for room, count in rooms.items() if count > 15} == {}


def test_what_docstrings_name_is_where_they_say():
    """`ROOM.module.name` in a docstring is a module of that room, and a name in it."""
    rooms = "|".join(path.name for path in (ROOT / "geosrseg").iterdir() if path.is_dir())
    dotted = re.compile(rf"(?<!`)`((?:geosrseg\.)?(?:{rooms})(?:\.\w+)+)`(?!`)")
    missing = {}
    for file in (ROOT / "geosrseg").rglob("*.py"):
        for said in dotted.findall(file.read_text(encoding="utf-8")):
            path, parts = ROOT / "geosrseg", said.removeprefix("geosrseg.").split(".")
            while parts and (path / parts[0]).is_dir():
                path /= parts.pop(0)
            if parts and (path / f"{parts[0]}.py").is_file():
                path /= f"{parts.pop(0)}.py"
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            if any(not re.search(rf"\b{name}\b", text) for name in parts):
                missing[said] = file.name
    assert missing == {}
