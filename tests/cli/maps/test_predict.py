import json
import shutil

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.cli.terminal.sizes import Bytes
from tests.tiny_datasets import write_raster

NAMES = ("band 1", "band 2", "band 3")


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "scene.tif"
    values = np.random.default_rng(0).integers(500, 9000, (3, 20, 30)).astype(np.int16)
    write_raster(path, values, names=NAMES)
    return path


def run(*words):
    return CliRunner().invoke(main, ["predict", *map(str, words)])


def test_the_map_is_written_and_its_name_printed(scene, tmp_path, tiny_model):
    out = tmp_path / "out.tif"
    result = run(scene, "-o", out, "-m", tiny_model())
    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    with rasterio.open(out) as file:
        assert file.shape == (80, 120)


def test_without_a_name_the_map_lies_beside_the_scene(scene, tmp_path, tiny_model):
    result = run(scene, "-m", tiny_model())
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'scene_classes.tif'}\n")
    result = run(scene, "-m", tiny_model())
    assert (result.exit_code, "--overwrite" in result.stderr) == (1, True)


def test_a_run_ends_with_a_summary(tmp_path, tiny_model):
    values = np.full((3, 20, 30), 0.1, np.float32)
    values[:, 10:] = 0.5
    values += np.linspace(0, 1e-3, 600, dtype=np.float32).reshape(20, 30)  # no fill is so varied
    values[:, :5] = np.nan
    write_raster(tmp_path / "scene.tif", values, names=NAMES)
    box = "0,0,30,20"
    with rasterio.open(tmp_path / "scene.tif") as file:
        left, bottom, right, top = file.bounds
        box = f"{left},{bottom},{left + (right - left) / 2},{top}"
    words = [tmp_path / "scene.tif", "-m", tiny_model(), "--aoi", box, "--scale", 1]
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert "mapped 75.0%, masked 0.0%, empty 25.0%\n" in result.stderr
    assert "classes: class 2 66.7%, class 1 33.3%\n" in result.stderr
    words += ["--aoi-extent", "scene", "--overwrite"]
    summary = json.loads(run(*words, "--json").stdout)["summary"]
    assert (summary["mapped"], summary["masked"]) == (0.375, 0.5)
    assert summary["classes"] == pytest.approx({"class 2": 2 / 3, "class 1": 1 / 3})


@pytest.mark.filterwarnings("default::geosrseg.SceneWarning")
def test_a_map_without_a_class_is_said_twice(tmp_path, tiny_model):
    """It is printed when it occurs, and again with other warnings among the last lines."""
    write_raster(tmp_path / "scene.tif", np.full((3, 9, 9), np.nan, np.float32), names=NAMES)
    result = run(tmp_path / "scene.tif", "-m", tiny_model(), "--scale", 1)
    assert result.exit_code == 0
    said = "warning: the map has no classes: 100% of the scene is nodata and 0% is masked"
    assert result.stderr.count(said) == 2


def test_json_is_one_object_on_stdout(scene, tmp_path, tiny_model):
    result = run(scene, "-o", tmp_path / "out.tif", "-m", tiny_model(), "--json")
    assert json.loads(result.stdout)["windows"] == 1


@pytest.mark.filterwarnings("default::geosrseg.SceneWarning")
def test_what_was_taken_for_granted_is_said_on_stderr(tmp_path, tiny_model):
    path = tmp_path / "scene.tif"
    write_raster(path, np.full((3, 9, 9), 0.2, np.float32))
    result = run(path, "-o", tmp_path / "out.tif", "-m", tiny_model())
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert "warning" not in result.stdout


def test_a_failure_is_one_line_and_exit_code_1(scene, tmp_path, tiny_model):
    (tmp_path / "out.tif").write_bytes(b"II something of the user's")
    result = run(scene, "-o", tmp_path / "out.tif", "-m", tiny_model())
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert (tmp_path / "out.tif").read_bytes() == b"II something of the user's"


def test_wrong_usage_is_exit_code_2(scene):
    assert run().exit_code == 2
    assert run(scene, "-o", "out.tif", "--seams", "sharp").exit_code == 2


def test_a_legend_gives_the_map_other_classes(scene, tmp_path, tiny_model):
    legend = tmp_path / "legend.toml"
    legend.write_text('[[classes]]\nid = 7\nname = "all"\ncolour = "#aabbcc"\nfrom = [1, 2, 3]\n')
    words = (scene, "-o", tmp_path / "out.tif", "-m", tiny_model(), "--legend", legend)
    result = run(*words, "--report", tmp_path / "out.html")
    assert (result.exit_code, "classes: all 100.0%" in result.stderr) == (0, True)
    assert "legend.toml" in (tmp_path / "out.html").read_text()


class TestSeveralScenes:
    @pytest.fixture
    def scenes(self, scene, tmp_path):
        return [scene, shutil.copy(scene, tmp_path / "other.tif")]

    def test_each_becomes_a_map_of_its_name_in_the_folder(self, scenes, tmp_path, tiny_model):
        folder = tmp_path / "maps"
        folder.mkdir()
        result = run(*scenes, "-o", folder, "-m", tiny_model())
        assert result.exit_code == 0
        assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["done", "done"]
        assert {path.name for path in folder.glob("*.tif")} == {"scene.tif", "other.tif"}

    def test_without_a_folder_each_map_lies_beside_its_scene(self, scenes, tmp_path, tiny_model):
        result = run(*scenes, "-m", tiny_model())
        assert result.exit_code == 0
        assert {path.name for path in tmp_path.glob("*_classes.tif")} == {
            "scene_classes.tif",
            "other_classes.tif",
        }

    def test_one_that_fails_does_not_stop_the_others(self, scenes, tmp_path, tiny_model):
        broken = tmp_path / "broken.tif"
        broken.write_bytes(b"no TIFF")
        folder = tmp_path / "maps"
        folder.mkdir()
        result = run(broken, *scenes, "-o", folder, "-m", tiny_model(), "--json")
        assert result.exit_code == 1
        found = json.loads(result.stdout)["scenes"]
        assert [bool(item["error"]) for item in found] == [True, False, False]
        assert result.stderr.startswith("error: ")
        assert len(list(folder.glob("*.tif"))) == 2

    def test_the_folder_is_made(self, scenes, tmp_path, tiny_model):
        assert run(*scenes, "-o", tmp_path / "a/b", "-m", tiny_model()).exit_code == 0
        assert {path.name for path in tmp_path.glob("a/b/*.tif")} == {"scene.tif", "other.tif"}
        assert run(scenes[0], "-o", f"{tmp_path}/one/", "-m", tiny_model()).exit_code == 0
        assert (tmp_path / "one/scene.tif").is_file()
        (tmp_path / "file").touch()
        result = run(*scenes, "-o", tmp_path / "file/maps", "-m", tiny_model())
        assert (result.exit_code, "cannot be made" in result.stderr) == (1, True)

    def test_a_map_that_is_there_is_skipped_and_named(self, scenes, tmp_path, tiny_model):
        maps = tmp_path / "maps"
        words = ("-o", maps, "-m", tiny_model())
        assert run(scenes[0], "-o", f"{maps}/", "-m", tiny_model()).exit_code == 0
        before = (maps / "scene.tif").stat()
        result = run(*scenes, *words, "--skip-existing")
        assert result.exit_code == 0
        assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["skipped", "done"]
        assert (maps / "scene.tif").stat().st_mtime_ns == before.st_mtime_ns
        result = run(*scenes, *words)
        assert (result.exit_code, result.stderr.count("exists: choose")) == (1, 2)
        found = json.loads(run(*scenes, *words, "--skip-existing", "--json").stdout)["scenes"]
        assert [item["state"] for item in found] == ["skipped", "skipped"]

    def test_one_scene_is_skipped_too(self, scene, tmp_path, tiny_model):
        words = (scene, "-o", tmp_path / "map.tif", "-m", tiny_model(), "--skip-existing")
        assert "skipped" not in run(*words).stderr
        result = run(*words)
        assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "map.tif"))
        assert f"skipped {scene}: its map already exists" in result.stderr
        assert json.loads(run(*words, "--json").stdout)["state"] == "skipped"

    def test_a_scene_that_is_skipped_keeps_its_secrets(self, tmp_path):
        (tmp_path / "map.tif").touch()
        address = "https://me:s3cr3t@host/a.tif?sig=s3cr3t"
        for more in ((), ("--json",)):
            result = run(address, "-o", tmp_path / "map.tif", "--skip-existing", *more)
            assert result.exit_code == 0
            assert "https://host/a.tif" in result.output
            assert "s3cr3t" not in result.output

    def test_to_skip_and_to_replace_exclude_each_other(self, scene):
        result = run(scene, "--skip-existing", "--overwrite")
        assert (result.exit_code, "exclude each other" in result.stderr) == (2, True)

    def test_product_files_have_the_name_of_their_scene(self, scenes, tmp_path, tiny_model):
        words = ("-o", tmp_path / "maps", "-m", tiny_model(), "--areas", tmp_path / "{name}.csv")
        result = run(*scenes, *words, "--quicklook", tmp_path / "maps/{name}-{name}.png")
        assert result.exit_code == 0
        assert {path.name for path in tmp_path.glob("*.csv")} == {"scene.csv", "other.csv"}
        assert {path.name for path in tmp_path.glob("maps/*.png")} == {
            "scene-scene.png",
            "other-other.png",
        }

    def test_that_of_one_scene_too(self, scene, tmp_path, tiny_model):
        words = ("-o", tmp_path / "map.tif", "-m", tiny_model())
        assert run(scene, *words, "--areas", tmp_path / "{name}.csv").exit_code == 0
        assert (tmp_path / "scene.csv").is_file()

    def test_scenes_of_one_name_do_not_share_a_product_file(self, scene, tmp_path, tiny_model):
        (tmp_path / "b").mkdir()
        other = shutil.copy(scene, tmp_path / "b/scene.tif")
        words = ("-m", tiny_model(), "--areas", tmp_path / "{name}.csv")
        result = run(scene, other, *words)
        assert (result.exit_code, "scene.csv would be made 2 times" in result.stderr) == (1, True)

    def test_a_folder_is_needed_and_files_for_one_scene_are_refused(
        self, scenes, tmp_path, tiny_model
    ):
        result = run(*scenes, "-o", tmp_path / "out.tif", "-m", tiny_model())
        assert (result.exit_code, "expected a folder" in result.stderr) == (1, True)
        result = run(*scenes, "-o", tmp_path, "--quicklook", tmp_path / "a.png")
        assert (result.exit_code, "a-{name}.png" in result.stderr) == (2, True)
        assert "--quicklook" in result.stderr
        result = run(scenes[0], scenes[0], "-o", tmp_path, "-m", tiny_model())
        assert (result.exit_code, "two scenes would become" in result.stderr) == (1, True)


def test_a_plan_says_what_would_be_done_and_writes_nothing(tmp_path, tiny_model):
    path = tmp_path / "scene.tif"
    values = np.full((3, 96, 64), 0.5, np.float32)
    values[:, 40:] = np.nan
    write_raster(path, values, names=NAMES)
    before = sorted(tmp_path.iterdir())
    words = [path, "-o", tmp_path / "out.tif", "-m", tiny_model(), "--window", 32, "--overlap", 0]
    result = run(*words, "--plan", "--scale", 1)
    assert result.exit_code == 0, result.output
    assert "a map of 256 x 384 pixels" in result.stdout
    assert "6 of 32 pixels with an overlap of 0, 2 of them with nothing" in result.stdout
    (plan,) = json.loads(run(*words, "--plan", "--scale", 1, "--json").stdout)["scenes"]
    assert plan["disk"] == round((1 + 4 / 3 + 4 / 3) * 256 * 384)
    assert plan["seconds"] > 0
    assert sorted(path for path in tmp_path.iterdir() if path.name != "tiny.onnx") == before


@pytest.mark.parametrize(
    ("text", "size"), [("800M", 800 * 2**20), ("1.5GB", 3 * 2**29), ("7", 7), ("9" * 400, 2**60)]
)
def test_sizes_have_units(text, size):
    assert Bytes().convert(text, None, None) == size


def test_a_size_that_is_none_is_wrong_usage(scene):
    result = run(scene, "-o", "out.tif", "--max-memory", "much")
    assert (result.exit_code, "expected one such as 800M" in result.stderr) == (2, True)


def test_little_memory_means_small_windows_and_the_same_map(scene, tmp_path, tiny_model):
    maps = []
    for memory in ("1k", "1G"):
        out = tmp_path / f"{memory}.tif"
        result = run(scene, "-o", out, "-m", tiny_model(), "--max-memory", memory, "--json")
        maps.append((json.loads(result.stdout)["windows"], rasterio.open(out).read().tobytes()))
    assert maps[0][0] > maps[1][0] == 1
    assert maps[0][1] == maps[1][1]


def test_an_interruption_says_that_nothing_was_kept_and_what_to_do(scene, tiny_model, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("geosrseg.runtime.session.Session.run", interrupt)
    result = run(scene, "-m", tiny_model())
    assert result.exit_code == 130
    said = f"interrupted: kept nothing of {scene.parent / 'scene_classes.tif'}, as no strip of "
    assert said in result.stderr
    assert "run the command again to start again" in result.stderr
    assert not list(scene.parent.glob("*.geosrseg"))
