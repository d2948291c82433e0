from pathlib import Path

import pytest

from geosrseg.errors import OutputError
from geosrseg.mapping.output_names import default_output, map_paths


@pytest.mark.parametrize(
    ("scene", "output"),
    [
        ("scene.tif", "scene_classes.tif"),
        ("scene.TIFF", "scene_classes.tif"),
        ("LC08_L2SP_1_T1.tar", "LC08_L2SP_1_T1_classes.tif"),
        ("LC08_L2SP_1_T1/", "LC08_L2SP_1_T1_classes.tif"),
        ("item.json", "item_classes.tif"),
        ("a.b.img", "a.b.img_classes.tif"),
    ],
)
def test_a_map_is_called_as_its_scene_and_lies_beside_it(tmp_path, scene, output):
    assert default_output(tmp_path / scene) == tmp_path / output


def test_the_current_folder_has_its_own_name(tmp_path, monkeypatch):
    (tmp_path / "product").mkdir()
    monkeypatch.chdir(tmp_path / "product")
    assert default_output(".") == tmp_path / "product_classes.tif"


def test_the_map_of_a_url_lies_in_the_current_folder():
    url = "https://user:secret@example.org/a/b%20c.tif?token=1"
    assert default_output(url) == Path("b c_classes.tif")


def test_where_the_scenes_folder_cannot_be_written_it_lies_in_the_current_one(monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert default_output("/mnt/archive/scene.tif") == Path("scene_classes.tif")
    with pytest.raises(OutputError, match=r"two scenes would become scene_classes\.tif"):
        map_paths(["/mnt/a/scene.tif", "/mnt/b/scene.tif"], None)
