from pathlib import Path

import pytest

from geosrseg.core.text.toml_table import TomlTable
from geosrseg.datasets.card.card_scene import CardScene, Interval, parse_scenes


def scenes(folder: Path, **values: str) -> list[CardScene]:
    return parse_scenes(TomlTable({"split": "train", **values}, "[[scenes]] 1"), data=folder)


@pytest.fixture
def folder(tmp_path):
    """Images and masks of two tiles, with names in different case."""
    for name in (
        "tile1/images/part 2.jpg",
        "tile1/images/part 1.JPG",
        "tile1/masks/part 1.png",
        "tile1/masks/Part 2.png",
        "tile1/images/._part 1.jpg",
        "tile1/images/notes.txt",
        "tile2/images/part 1.jpg",
        "tile2/masks/part 1.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_an_entry_may_name_one_image(folder):
    (scene,) = scenes(folder, image="a.tif", reference="b.tif", split="c.tif")
    assert scene == CardScene(folder / "a.tif", folder / "b.tif", folder / "c.tif")
    assert scene.files == (folder / "a.tif", folder / "b.tif", folder / "c.tif")


def test_wildcards_pair_files_by_what_they_stand_for_whatever_the_case(folder):
    found = scenes(folder, image="tile1/images/*.jpg", reference="tile1/masks/*.png")
    assert [(scene.image.name, scene.reference.name) for scene in found] == [
        ("part 1.JPG", "part 1.png"),
        ("part 2.jpg", "Part 2.png"),
    ]
    assert {scene.split for scene in found} == {"train"}


def test_several_wildcards_all_take_part(folder):
    found = scenes(folder, image="tile?/images/*.jpg", reference="tile?/masks/*.png")
    assert [scene.reference.relative_to(folder).as_posix() for scene in found] == [
        "tile1/masks/part 1.png",
        "tile1/masks/Part 2.png",
        "tile2/masks/part 1.png",
    ]


def test_folders_of_any_depth(folder):
    found = scenes(folder, image="**/images/*.jpg", reference="**/masks/*.png")
    assert len(found) == 3
    for scene in found:
        assert scene.image.parents[1] == scene.reference.parents[1]


def test_an_image_without_a_partner_is_named(folder):
    (folder / "tile1/masks/part 1.png").unlink()
    with pytest.raises(ValueError, match=r"1 of 2 files .* have no partner .*part 1\.JPG"):
        scenes(folder, image="tile1/images/*.jpg", reference="tile1/masks/*.png")


def test_a_reference_without_an_image_is_named(folder):
    (folder / "tile1/images/part 1.JPG").unlink()
    with pytest.raises(ValueError, match=r"1 of 2 files .* have no partner .*part 1\.png"):
        scenes(folder, image="tile1/images/*.jpg", reference="tile1/masks/*.png")


def test_files_that_the_wildcards_do_not_tell_apart_are_refused(folder):
    (folder / "tile1/masks/part 1.PNG").touch()
    with pytest.raises(ValueError, match="which the wildcards do not tell apart"):
        scenes(folder, image="tile1/images/*.jpg", reference="tile1/masks/*.png")


def test_nothing_that_fits_is_said(folder):
    with pytest.raises(FileNotFoundError, match=r"1 image = '\*\.tif' matches no file"):
        scenes(folder, image="*.tif", reference="*.png")


def test_a_name_that_looks_like_a_pattern_is_a_name_where_such_a_file_is(folder):
    (folder / "what?.tif").touch()
    (scene,) = scenes(folder, image="what?.tif", reference="b.tif")
    assert scene.image == folder / "what?.tif"


def test_a_part_of_a_scene_may_be_used(folder):
    (scene,) = scenes(folder, image="a.tif", reference="b.tif", rows="800:", cols=" 10 : 20 ")
    assert scene.rows == Interval(800, None)
    assert scene.cols == Interval(10, 20)
    (scene,) = scenes(folder, image="a.tif", reference="b.tif", rows=":400")
    assert scene.rows == Interval(0, 400)


@pytest.mark.parametrize("rows", ["800", ":", "a:b", "8:8", "9:8", "-3:"])
def test_an_interval_has_an_end_and_holds_something(folder, rows):
    with pytest.raises(ValueError, match=r'1 rows is .*expected such as "800:"'):
        scenes(folder, image="a.tif", reference="b.tif", rows=rows)


def test_a_card_from_windows_names_its_files_with_backslashes(folder):
    (one,) = scenes(folder, image=r"tile2\images\part 1.jpg", reference=r"tile2\masks\part 1.png")
    assert one.image == folder / "tile2/images/part 1.jpg"


def test_other_wildcards_are_named_as_none(folder):
    with pytest.raises(FileNotFoundError, match=r"matches no file: only \*, \*\* and \? are"):
        scenes(folder, image="tile[12]/images/*.jpg", reference="tile[12]/masks/*.png")
