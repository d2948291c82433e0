"""Which scenes words name."""

import json

import pytest

from geosrseg.batch.scene_list import list_scenes, write_items
from geosrseg.errors import SceneWarning, WorkError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.tif", "a.tif", "c.tar"):
        (tmp_path / name).touch()
    (tmp_path / "LC08_X").mkdir()
    return tmp_path


def write_search(folder, *items):
    document = {"type": "FeatureCollection", "features": items}
    (folder / "found.json").write_text(json.dumps(document))


def names(words, folder):
    return [scene.name for scene in list_scenes(words, items_folder=folder / "items")]


def test_files_folders_and_addresses_are_scenes(folder):
    words = [str(folder / "c.tar"), str(folder / "LC08_X"), "https://host/d.tif?sig=1"]
    assert names(words, folder) == ["c", "LC08_X", "d"]


@pytest.mark.parametrize("form", ["file://{}", "file:{}", "FILE://localhost{}"])
def test_an_address_of_a_local_file_is_its_path(folder, form):
    (folder / "a b.tif").touch()
    address = form.format(folder / "a%20b.tif")
    (folder / "list.txt").write_text(address)
    for word in (address, str(folder / "list.txt"), form.format(folder / "list.txt")):
        (scene,) = list_scenes([word], items_folder=folder)
        assert (scene.address, scene.name) == (str(folder / "a b.tif"), "a b")


def test_a_pattern_names_its_matches_in_order(folder):
    assert names([str(folder / "*.tif")], folder) == ["a", "b"]


def test_a_list_is_relative_to_itself(folder):
    (folder / "list.txt").write_text("# scenes\na.tif\n\nb.tif\nhttps://host/e.tif\n")
    assert names([str(folder / "list.txt")], folder) == ["a", "b", "e"]


def test_a_list_may_begin_with_a_byte_order_mark(folder):
    (folder / "list.txt").write_text("a.tif\r\nb.tif\r\n", encoding="utf-8-sig")
    assert names([str(folder / "list.txt")], folder) == ["a", "b"]


def test_a_search_result_gives_each_item_a_file(folder):
    items = [{"type": "Feature", "id": name, "assets": {}} for name in ("S2_1", "S2_2")]
    (folder / "found.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    scenes = list_scenes([str(folder / "found.json")], items_folder=folder / "items")
    write_items(scenes)
    assert [json.loads((folder / "items" / f"{s.name}.json").read_text()) for s in scenes] == items


@pytest.mark.parametrize(
    ("links", "href", "expected"),
    [
        ([], "bands/B2.TIF", "{folder}/bands/B2.TIF"),
        (
            [{"rel": "self", "href": "https://host/a/item.json"}],
            "./B2.TIF",
            "https://host/a/B2.TIF",
        ),
        ([{"rel": "self"}, "odd"], "B2.TIF", "{folder}/B2.TIF"),
        ([], "s3://bucket/B2.TIF", "s3://bucket/B2.TIF"),
        ([], "file:/data/B2.TIF", "file:/data/B2.TIF"),
    ],
)
def test_assets_are_found_from_any_folder(folder, links, href, expected):
    item = {"type": "Feature", "id": "x", "links": links, "assets": {"blue": {"href": href}}}
    (folder / "found.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [item]})
    )
    (scene,) = list_scenes([str(folder / "found.json")], items_folder=folder / "elsewhere")
    assert scene.item["assets"]["blue"]["href"] == expected.format(folder=folder)


@pytest.mark.parametrize("said", [{"numberMatched": 3}, {"context": {"matched": 3}}])
def test_a_page_of_a_search_is_told_from_all_of_it(folder, said):
    item = {"type": "Feature", "id": "x", "assets": {}}
    page = {"type": "FeatureCollection", "features": [item], **said}
    (folder / "found.json").write_text(json.dumps(page))
    with pytest.warns(SceneWarning, match="holds 1 of the 3 items"):
        names([str(folder / "found.json")], folder)


def test_an_item_is_a_scene(folder):
    (folder / "item.json").write_text(json.dumps({"type": "Feature", "id": "x", "assets": {}}))
    assert names([str(folder / "item.json")], folder) == ["item"]


@pytest.mark.parametrize("name", ["../out", "a/b", "", "x" * 300, 7])
def test_an_id_that_is_no_name_of_a_file_is_refused(folder, name):
    document = {"type": "FeatureCollection", "features": [{"id": name, "assets": {}}]}
    (folder / "found.json").write_text(json.dumps(document))
    with pytest.raises(WorkError, match="feature 1 is not a STAC item"):
        names([str(folder / "found.json")], folder)


def test_the_same_scene_twice_is_one(folder):
    assert names([str(folder / "a.tif"), str(folder / "*.tif")], folder) == ["a", "b"]


def test_two_scenes_of_one_name_are_refused(folder):
    (folder / "LC08_X" / "A.TIF").touch()
    with pytest.raises(WorkError, match=r"would both become A\.tif"):
        names([str(folder / "a.tif"), str(folder / "LC08_X" / "A.TIF")], folder)


def test_two_items_of_one_id_are_refused_unless_they_are_the_same(folder):
    items = [{"type": "Feature", "id": "x", "assets": {k: {"href": "a"}}} for k in ("a", "b")]
    write_search(folder, items[0], items[0])
    assert names([str(folder / "found.json")], folder) == ["x"]
    write_search(folder, *items)
    with pytest.raises(WorkError, match=r"two scenes .*x\.json would both become x\.tif"):
        names([str(folder / "found.json")], folder)


@pytest.mark.parametrize(
    "words",
    [
        ["https://me:s3cr3t@h/x/a.tif", "https://h/y/a.tif?sig=s3cr3t"],
        ["https://h/a.tif?sig=s3cr3t", "https://h/a.tif?sig=s3cr3t2"],
        ["ftp://me:s3cr3t@h/a.tif"],
        ["https://h/a.tif?sig=s3cr3t", "https://h/b.tif?sig=s3cr3t", "https://h/c.tif?sig=s3cr3t"],
    ],
)
def test_secrets_are_in_no_message(folder, words, monkeypatch):
    monkeypatch.setattr("geosrseg.batch.scene_list.MOST_WORDS", 2)
    with pytest.raises(WorkError, match=r"h/\w*/?\w\.tif") as caught:
        names(words, folder)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("word", ["none.tif", "none/*.tif"])
def test_what_names_nothing_is_refused(folder, word):
    with pytest.raises(WorkError, match=r"no such file|names no scene"):
        names([str(folder / word)], folder)


def test_lists_of_lists_have_an_end(folder):
    (folder / "self.txt").write_text("a.tif\nself.txt\n")
    with pytest.raises(WorkError, match="is nested in 3 lists"):
        list_scenes([str(folder / "self.txt")], items_folder=folder)
    (folder / "wide.txt").write_text("empty.txt\n" * 1001)
    (folder / "wider.txt").write_text("wide.txt\n" * 1001)
    (folder / "empty.txt").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geosrseg.batch.scene_list.MOST_WORDS", 10)
        with pytest.raises(WorkError, match="exceeds 10 scenes"):
            list_scenes([str(folder / "wider.txt")], items_folder=folder)


@pytest.mark.parametrize("pattern", ["a**b", "***", "[", "a\0*"])
def test_what_is_no_pattern(folder, pattern):
    with pytest.raises(WorkError):
        list_scenes([str(folder / pattern)], items_folder=folder)


@pytest.mark.parametrize("name", ["a\nb", "\u202egnp", "a\x1b[2J", "../x", "x\u2028y"])
def test_ids_that_are_no_names(folder, name):
    item = {"type": "Feature", "id": name, "assets": {}}
    (folder / "found.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [item]})
    )
    with pytest.raises(WorkError, match="not a STAC item with an id"):
        list_scenes([str(folder / "found.json")], items_folder=folder)


def test_a_link_that_is_no_address_is_left_to_its_reader(folder):
    links = [{"rel": "self", "href": "https://host/item.json"}]
    item = {"type": "Feature", "id": "x", "links": links, "assets": {"blue": {"href": "//[x"}}}
    (folder / "found.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [item]})
    )
    scenes = list_scenes([str(folder / "found.json")], items_folder=folder)
    assert scenes[0].item["assets"]["blue"]["href"] == "//[x"


def test_an_item_is_written_past_no_link(folder):
    item = {"type": "Feature", "id": "x", "assets": {}}
    (folder / "found.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [item]})
    )
    (folder / "victim").write_text("mine")
    (folder / "x.json").symlink_to(folder / "victim")
    write_items(list_scenes([str(folder / "found.json")], items_folder=folder))
    assert (folder / "victim").read_text() == "mine"
    assert json.loads((folder / "x.json").read_text()) == item
