import hashlib
import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import shapely
from affine import Affine
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from rasterio.enums import Resampling

from geosrseg.errors import OutputError
from geosrseg.products.areas import AreaCounter
from geosrseg.products.asset import Asset, MapFile
from geosrseg.products.stac.map_item import write_map_item
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.cog import CogProfile, write_cog
from geosrseg.raster.maps.confidence import confidence_profile
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.publication import open_drafts, publish
from tests.raster.conftest import NORTH_UP, UTM
from tests.stac_schemas import read_item
from tests.tiny_maps import write_class_map


@pytest.fixture
def write(tmp_path, legend):
    def write(*, crs=UTM, transform=NORTH_UP, taken=date(2001, 2, 5), **options):
        labels = np.array([[1, 2, 2, 255]] * 3, np.uint8)
        grid = Grid(crs, transform, *labels.shape)
        class_map = write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend)
        (tmp_path / "map.gpkg").write_bytes(b"polygons")
        counter = AreaCounter(legend, None)
        counter.add(labels, 0)
        write_map_item(
            tmp_path / "map.json",
            {
                "classes": MapFile(class_map, Asset(title="Class map")),
                "vector": MapFile(tmp_path / "map.gpkg", Asset(title="Polygons")),
                **{
                    key: MapFile(options.pop(key), Asset(title=key))
                    for key in ("confidence", "fractions", "sr")
                    if key in options
                },
            },
            legend=legend,
            areas=counter.areas(),
            source=Location.of(options.pop("source", tmp_path / "scene.tif")),
            taken=taken,
            properties={"geosrseg:model": "tiny 1"},
            licence="CC BY-SA 4.0",
            **options,
        )
        return read_item(json.loads((tmp_path / "map.json").read_text(encoding="utf-8")))

    return write


def test_it_says_where_and_when(write):
    item = write()
    assert item.id == "map"
    assert item.datetime == datetime(2001, 2, 5, tzinfo=UTC)
    assert item.properties["license"] == "CC-BY-SA-4.0"
    assert item.properties["geosrseg:model"] == "tiny 1"
    west, south, east, north = item.bbox
    assert 35 < west < east < 36
    assert 7 < south < north < 8
    footprint = shapely.geometry.shape(item.geometry)
    assert footprint.is_valid
    assert footprint.exterior.is_ccw
    assert footprint.bounds == pytest.approx(tuple(item.bbox))


def test_it_says_which_grid(write):
    projection = ProjectionExtension.ext(write())
    assert projection.code == "EPSG:32636"
    assert projection.shape == [3, 4]
    assert projection.transform == list(NORTH_UP[:6])
    assert projection.bbox == [800_000, 849_910, 800_120, 850_000]


def test_a_south_up_map_has_its_least_y_first(write):
    transform = Affine(30, 0, 800_000, 0, 30, 849_910)
    item = write(transform=transform)
    projection = ProjectionExtension.ext(item)
    assert projection.bbox == [800_000, 849_910, 800_120, 850_000]
    assert projection.transform == list(transform[:6])
    assert shapely.geometry.shape(item.geometry).exterior.is_ccw


def test_a_layer_on_another_grid_says_its_own(write, tmp_path):
    grid = Grid(UTM, Affine(120, 0, 800_000, 0, -90, 850_000), 1, 1)
    profile = CogProfile(
        grid=grid, bands=("a",), dtype="float32", nodata=float("nan"), overviews=Resampling.average
    )
    with open_drafts(tmp_path / "map.fractions.tif") as folder:
        rows = [np.ones((1, 1, 1), np.float32)]
        drafts = write_cog(folder, tmp_path / "map.fractions.tif", profile, rows)
        publish(drafts, tmp_path / "map.fractions.tif")
    item = write(fractions=tmp_path / "map.fractions.tif")
    assert ProjectionExtension.ext(item.assets["fractions"]).shape == [1, 1]
    assert ProjectionExtension.ext(item.assets["fractions"]).transform == list(grid.transform[:6])
    assert "proj:shape" not in item.assets["classes"].extra_fields


def test_bands_have_their_names_units_nodata_and_scale(write, tmp_path):
    grid = Grid(UTM, NORTH_UP, 3, 4)
    measured = CogProfile(
        grid=grid, bands=("blue", "red"), dtype="int16", nodata=-9999, units="reflectance",
        overviews=Resampling.average, scale=(1e-4, 1e-4), offset=(0, -0.1),
    )  # fmt: skip
    profiles = {
        "confidence": confidence_profile(grid, {}),
        "fractions": replace(measured, dtype="float32", nodata=math.nan, units="", scale=()),
        "sr": measured,
    }
    paths = {name: tmp_path / f"map.{name}.tif" for name in profiles}
    for name, path in paths.items():
        with open_drafts(path) as folder:
            rows = np.ones((2, 3, 4), profiles[name].dtype)
            publish(write_cog(folder, path, profiles[name], [rows]), path)
    item = write(**paths)
    bands = {key: asset.extra_fields.get("bands") for key, asset in item.assets.items()}
    assert bands == {
        "classes": [{"name": "class", "data_type": "uint8", "nodata": 255}],
        "vector": None,
        "confidence": [
            {"name": name, "data_type": "uint8", "nodata": 255, "unit": "percent"}
            for name in ("confidence", "doubt")
        ],
        "fractions": [
            {"name": name, "data_type": "float32", "nodata": "nan"} for name in ("blue", "red")
        ],
        "sr": [
            {"name": name, "data_type": "int16", "nodata": -9999, "unit": "reflectance",
             "raster:scale": 1e-4, "raster:offset": offset}
            for name, offset in (("blue", 0), ("red", -0.1))
        ],
    }  # fmt: skip
    assert sum("/raster/v2.0.0/" in uri for uri in item.stac_extensions) == 1


def test_references_are_encoded(write, tmp_path):
    (tmp_path / "#1 50%").mkdir()
    item = write(source=tmp_path / "#1 50%" / "scene ü.tif")
    (link,) = item.get_links("derived_from")
    assert link.target == "%231%2050%25/scene%20%C3%BC.tif"


def test_files_have_their_size_and_checksum(write, tmp_path):
    item = write()
    assert {key: asset.href for key, asset in item.assets.items()} == {
        "classes": "map.tif",
        "vector": "map.gpkg",
    }
    for asset in item.assets.values():
        content = (tmp_path / asset.href).read_bytes()
        file = FileExtension.ext(asset)
        assert file.size == len(content)
        assert file.checksum == "1220" + hashlib.sha256(content).hexdigest()


def test_the_classes_have_names_colours_and_counts(write):
    asset = write().assets["classes"]
    classes = ClassificationExtension.ext(asset).classes
    assert [(c.value, c.name, c.title, c.color_hint, c.count) for c in classes] == [
        (1, "cropland", "cropland", "E8C868", 3),
        (2, "bamboo-reed", "bamboo & <reed>", "9BC53D", 6),
        (5, "caf", "café", "7A4419", 0),
        (255, "nodata", "No data", None, None),
    ]
    assert classes[3].nodata


def test_it_leads_to_the_scene(write):
    (link,) = write().get_links("derived_from")
    assert link.target == "scene.tif"


def test_a_remote_scene_is_named_without_what_is_secret(write):
    (link,) = write(source="https://user:key@example.org/a/scene.tif?token=x").get_links()
    assert "key" not in link.target
    assert "token=x" not in link.target
    assert "example.org/a/scene.tif" in link.target


def test_a_scene_without_a_date_has_the_time_of_the_map(write):
    before = datetime.now(UTC).replace(microsecond=0)
    item = write(taken=None)
    assert before <= item.datetime <= datetime.now(UTC)
    assert "date of the scene is unknown" in item.properties["description"]


def test_a_map_without_a_place_on_the_earth(write):
    item = write(crs=None, transform=Affine(1, 0, 0, 0, 1, 0))
    assert item.geometry is None
    assert item.bbox is None
    assert not ProjectionExtension.has_extension(item)


def test_an_existing_item_stays(write):
    write()
    with pytest.raises(OutputError, match="`overwrite=True`"):
        write()
    write(overwrite=True)
