"""The package of docs/extending.md works when installed, without changes to geosrseg."""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.mapping.test_predict import TRANSFORM, random_scene, write_scene
from tests.tiny_datasets import write_dataset
from tests.tiny_models import make_onnx, make_spec

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def install(folder: Path, *, points: str = "", version: str = "1.0") -> Path:
    """Write the page's package and its dist-info into a folder of the import path."""
    for block in re.findall(r"```\w+\n# (mypackage/\w+\.\w+)\n(.*?)```", PAGE, re.DOTALL):
        path = folder / block[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block[1], encoding="utf-8")
    project = tomllib.loads(re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1])["project"]
    info = folder / f"{project['name']}-{version}.dist-info"
    info.mkdir(parents=True)
    name = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n"
    (info / "METADATA").write_text(name, encoding="utf-8")
    found = "\n".join(
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in items.items())])
        for group, items in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(points or found, encoding="utf-8")
    return folder


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "geosrseg", *map(str, words)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def scene(tmp_path):
    values = random_scene(20, 30)
    values[:, 3, 4] = np.nan
    return write_scene(tmp_path / "scene.tif", values)


@pytest.fixture
def package(tmp_path):
    return install(tmp_path / "site")


def test_its_options_are_in_the_help(package):
    shown = " ".join(run(package, "predict", "--help").stdout.split())
    assert "--margin Also write OUT.margin.tif: how far the most likely class is ahead" in shown
    assert "--shares FILE.txt Also write the share of each class." in shown
    assert "--digits INTEGER RANGE Digits of a share. [default: 1; x>=0]" in shown


def test_its_files_are_made_and_listed(package, scene, tmp_path, tiny_model):
    words = ["-o", tmp_path / "map.tif", "-m", tiny_model(), "--margin", "--digits", 3]
    words += ["--shares", tmp_path / "map.txt", "--stac", tmp_path / "map.json", "--json"]
    done = run(package, "predict", scene, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["layers"]["margin"] == str(tmp_path / "map.margin.tif")
    with rasterio.open(tmp_path / "map.margin.tif") as file:
        margin = file.read(1)
        assert (file.units, file.nodata) == (("percent",), 255)
    assert set(np.unique(margin)) == {100, 255}  # the tiny model has no doubt
    assert (margin == 255).sum() == 16
    lines = (tmp_path / "map.txt").read_text(encoding="utf-8").splitlines()
    assert [re.sub(r"\d+\.\d{3} %", "...", line) for line in lines] == [
        f"class {k}: ..." for k in (1, 2, 3)
    ]
    assets = json.loads((tmp_path / "map.json").read_text(encoding="utf-8"))["assets"]
    assert assets["margin"]["title"] == "Margin of the most likely class, in percent"
    assert assets["shares"]["type"] == "text/plain"


def test_its_device_runs_the_model_within_its_limits(package, scene, tmp_path, tiny_model):
    shown = " ".join(run(package, "predict", "--help").stdout.split())
    assert "--device [auto|cuda|tensorrt|openvino|cpu|reference]" in shown
    assert "cpu, any CPU; reference, ONNX's reference in NumPy. auto takes" in shown
    words = ["predict", scene, "-m", tiny_model(window_size=64)]
    done = run(package, *words, "-o", tmp_path / "a.tif", "--device", "reference", "--json")
    assert json.loads(done.stdout)["device"] == "reference"
    done = run(package, *words, "-o", tmp_path / "b.tif", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / "a.tif") as ours, rasterio.open(tmp_path / "b.tif") as theirs:
        assert np.array_equal(ours.read(), theirs.read())
    words += ["-o", tmp_path / "c.tif", "--device", "reference"]
    too_many = run(package, *words, "--batch", 2).stderr
    assert "--batch 2: reference takes at most 1 windows at once" in too_many
    too_fine = run(package, *words, "--precision", "bf16").stderr
    assert "device reference computes in fp32 here" in too_fine


def test_its_dataset_is_found_by_name(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    assert "coffee (not released), fields (fields, Landsat); a folder" in " ".join(
        run(package, "train", "--help").stdout.split()
    )
    words = ["train", "--dataset", "fields", "--check"]
    missing = run(package, *words).stderr
    assert f"fields is read from {tmp_path / 'data' / 'fields'}, which does not exist" in missing
    assert (
        "comes from https://example.org/fields.zip, unpacked; or name another folder by --data"
        in (missing)
    )
    folder = tmp_path / "data" / "fields"
    folder.mkdir(parents=True)
    write_dataset(folder)
    done = run(package, *words)
    assert done.returncode == 0, done.stderr
    assert "field" in done.stdout


def test_its_files_are_checked_before_the_run(package, scene, tmp_path, tiny_model):
    words = ["predict", scene, "-o", tmp_path / "map.tif", "-m", tiny_model()]
    done = run(package, *words, "--shares", tmp_path / "map.pdf")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("expected a name that ends in .txt")
    assert "--digits needs --shares" in run(package, *words, "--digits", 2).stderr
    assert not (tmp_path / "map.tif").exists()


def test_rows_of_another_version_are_not_resumed(package, scene, tmp_path, tiny_model):
    code = (
        "import sys, geosrseg\n"
        "def stop(progress):\n    if progress.windows_done == 3: raise KeyboardInterrupt\n"
        "named = dict(model=sys.argv[2], margin=True, window_size=16, overlap=0)\n"
        "try: geosrseg.predict(sys.argv[1], sys.argv[3], on_progress=stop, **named)\n"
        "except KeyboardInterrupt: pass\n"
        "except geosrseg.GeosrsegError as error: print(error)\n"
    )
    later = install(tmp_path / "later", version="2.0")
    for folder, said in ((package, ""), (later, "classes, margin (mypackage 1.0) instead of")):
        done = subprocess.run(
            [sys.executable, "-c", code, scene, tiny_model(), tmp_path / "map.tif"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said in done.stdout


class TestSensor:
    """The page's sensor: red and nir, and classes of which 255 is never valid."""

    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "toysat"
        folder.mkdir()
        numbers = np.random.default_rng(3).integers(500, 4000, (2, 20, 30)).astype(np.uint16)
        numbers[1, 0, 0] = 0
        classes = np.zeros((20, 30), np.uint8)
        classes[5, :4] = 2, 3, 4, 255
        for name, band in (("RED", numbers[0]), ("NIR", numbers[1]), ("CLASS", classes)):
            with rasterio.open(
                folder / f"TOYSAT_20210709_{name}.tif", "w", driver="GTiff", count=1, height=20,
                width=30, dtype=band.dtype.name, crs="EPSG:32630", transform=TRANSFORM,
            ) as file:  # fmt: skip
                file.write(band, 1)
        (folder / "TOYSAT_20210709_META.txt").write_text("GAIN=0.0002\n", encoding="utf-8")
        return folder

    @pytest.fixture
    def model(self, tmp_path):
        spec = make_spec(bands=2)
        path = tmp_path / "toy.onnx"
        path.write_bytes(make_onnx(replace(spec, bands=("red", "nir"))).SerializeToString())
        return path

    def test_it_is_a_scene(self, package, folder, model, tmp_path):
        out = tmp_path / "map.tif"
        words = ["-o", out, "-m", model, "--mask", "cloud", "--stac", tmp_path / "map.json"]
        done = run(package, "predict", folder, *words)
        assert done.returncode == 0, done.stderr
        with rasterio.open(out) as file:
            valid = file.read(1)[::4, ::4] != 255
        expected = np.ones((20, 30), np.bool_)
        expected[0, 0] = expected[5, 1] = expected[5, 2] = expected[5, 3] = False
        assert np.array_equal(valid, expected)
        item = json.loads((tmp_path / "map.json").read_text(encoding="utf-8"))
        assert item["properties"]["datetime"].startswith("2021-07-09")

    def test_help_and_messages_name_it(self, package, folder, tmp_path):
        assert "Toysat: Level 2, as folder" in run(package, "predict", "--help").stdout
        shown = run(package, "info", folder).stdout
        assert "Toysat Level 2" in shown
        assert "0.0002" in shown
        (empty := tmp_path / "empty").mkdir()
        assert "Sentinel-2 or Toysat, found no files" in run(package, "info", empty).stderr

    @pytest.mark.parametrize(
        ("file", "text", "message"),
        [
            ("TOYSAT_20210709_META.txt", "GAIN=high", "has no GAIN: get the product again"),
            ("TOYSAT_20210709_META.txt", "GAIN=1.2.3", "sensor toysat of mypackage 1.0 fails"),
            (
                "TOYSAT_20210709_NIR.tif",
                "",
                "the band nir is missing: expected TOYSAT",
            ),
            ("TOYSAT_20210709_CLASS.tif", "", "needs the file TOYSAT_20210709_CLASS.tif"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, package, folder, model, file, text, message):
        (folder / file).write_text(text, encoding="utf-8") if text else (folder / file).unlink()
        words = ["-m", model, "--mask", "cloud", "-o", folder / "map.tif"]
        done = run(package, "predict", folder, *words)
        assert done.returncode == 1
        assert message in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("[geosrseg.layers]\nsr = mypackage.margin:Margin", "provides a layer 'sr', expected"),
        ("[geosrseg.layers]\nbad-name = mypackage.margin:Margin", "provides a layer 'bad-name'"),
        (
            "[geosrseg.layers]\nx = mypackage.none:X",
            "mypackage 1.0 cannot be loaded (ModuleNot",
        ),
        ("[geosrseg.layers]\nbands = mypackage.margin:Margin", "two options of a map are called"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(scene, tmp_path, tiny_model, points, message):
    folder = install(tmp_path / "site", points=points)
    done = run(folder, "predict", scene, "-o", tmp_path / "map.tif", "-m", tiny_model())
    assert done.returncode == 1, done.stderr
    assert message in done.stderr.splitlines()[-1]


def test_its_network_is_one(package, monkeypatch):
    torch = pytest.importorskip("torch")
    from geosrseg.networks.networks import build

    monkeypatch.syspath_prepend(package)
    network = build("sr", "tiny", 3, upscale_factor=2, options={"width": 4})
    assert network(torch.zeros(1, 3, 8, 8)).shape == (1, 3, 16, 16)


def test_its_network_takes_its_options_on_the_command_line(package, tmp_path):
    pytest.importorskip("torch")
    card, output = write_dataset(tmp_path), tmp_path / "run"
    words = f"train --dataset {card} --data {tmp_path} -o {output} --sr tiny --preset slim"
    words += " --seg unet --seg-option width=0.0625 --max-steps 1 --batch-size 2 --crop 64"
    words += " --precision fp32 --no-class-offsets --averaging 0 --sr-option"

    def train(*more):
        return run(package, *words.split(), *more)

    done = train("width=4")
    assert done.returncode == 0, done.stderr
    config = json.loads((output / "config.json").read_text(encoding="utf-8"))
    assert config["network"]["sr_options"] == {"width": 4}
    assert config["network"]["seg_options"] == {"width": 0.0625, "dropout": 0.3}
    assert "with sr_options {'width': 4}, not {'width': 5}" in train("width=5", "--resume").stderr
    done = run(package, "export", output, "-o", tmp_path / "m.onnx")
    assert done.returncode == 0, done.stderr
