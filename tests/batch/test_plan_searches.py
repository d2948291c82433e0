"""The plan of a STAC search: Landsat, and Sentinel-2 as both large catalogs lay it out."""

import json

import pytest

from geosrseg.batch.plan_work import BROKEN, NEW, plan_work
from geosrseg.batch.work import read_work
from tests.raster.sentinel2.test_sentinel2_item import earth_search, planetary_computer
from tests.tiny_products import write_item, write_product

COUNT = 12


def landsat(folder):
    return write_item(write_product(folder))


def ids(item_id):
    """As many ids as there are items, which differ by their day."""
    day = next(part for part in ("20200927", "20220413") if part in item_id)
    return [item_id.replace(day, f"{day[:6]}{k + 1:02d}", 1) for k in range(COUNT)]


@pytest.fixture(params=[landsat, earth_search, planetary_computer])
def search(request, tmp_path):
    """The answer of a search, of whose items the first and a later one lack a band."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    item = json.loads(request.param(folder).read_text())
    features = [item | {"id": name, "assets": dict(item["assets"])} for name in ids(item["id"])]
    for k in (0, 7):
        for key in list(features[k]["assets"]):
            if key in ("red", "B04"):
                del features[k]["assets"][key]
    path = folder / "search.json"
    found = {"type": "FeatureCollection", "context": {"matched": COUNT}, "features": features}
    path.write_text(json.dumps(found))
    return path


def test_every_item_has_its_line_in_the_order_of_the_search(search, tmp_path, tiny_model):
    seen = []
    plan = plan_work(
        [str(search)], str(tmp_path / "out"), tmp_path / "w.jsonl", model=tiny_model(),
        device="cpu", precision="fp32", bands="band 1=red,band 2=green,band 3=blue",
        on_scene=seen.append,
    )  # fmt: skip
    names = [feature["id"] for feature in json.loads(search.read_text())["features"]]
    assert [task.name for task in read_work(tmp_path / "w.jsonl")] == names
    assert [item.task.name for item in seen] == names
    states = [item.state for item in plan.scenes]
    assert states == [BROKEN if k in (0, 7) else NEW for k in range(COUNT)]
    assert "red" in plan.scenes[7].error
    assert len({item.plan.seconds_per_pixel for item in plan.scenes if item.plan}) == 1


def test_who_stops_listening_stops_the_plan(search, tmp_path, tiny_model):
    def stop(scene):
        if scene.state == NEW:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_work(
            [str(search)], str(tmp_path / "out"), tmp_path / "w.jsonl", model=tiny_model(),
            bands="band 1=red,band 2=green,band 3=blue", device="cpu", on_scene=stop,
        )  # fmt: skip
    assert not (tmp_path / "w.jsonl").exists()
