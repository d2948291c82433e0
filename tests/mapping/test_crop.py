"""Tests that a map of an area of interest equals that part of the whole map, to the byte."""

import numpy as np
import pytest
import rasterio
import shapely

from geosrseg.errors import SceneError
from geosrseg.mapping.model import open_model
from geosrseg.mapping.predict import predict
from geosrseg.raster.maps.stopped_runs import find_stores
from tests.mapping.test_predict import NAMES, TRANSFORM, write_scene

HEIGHT, WIDTH, FACTOR = 90, 110, 4


@pytest.fixture
def scene(tmp_path):
    values = np.random.default_rng(5).random((3, HEIGHT, WIDTH), np.float32)
    values[:, 40:44, 50:55] = np.nan
    return write_scene(tmp_path / "scene.tif", values, names=NAMES)


def polygon(*pixels):
    """Make a polygon whose corners are columns and rows of the scene."""
    return shapely.Polygon([TRANSFORM @ pixel for pixel in pixels])


def box(left, top, right, bottom):
    return polygon((left, top), (right, top), (right, bottom), (left, bottom))


AREAS = {
    "in one window": box(40, 50, 45, 56),
    "over many windows": polygon((7.3, 20.1), (77.7, 33.9), (30.2, 88.8)),
    "to the edges": box(-20, 61.4, 200, 300),
    "two parts": shapely.union_all([box(3, 3, 9, 9), box(80.9, 70, 90.1, 75.2)]),
    "less than a pixel of the scene": box(55.05, 30.05, 55.3, 30.3),
}


def read(path):
    with rasterio.open(path) as file:
        return file.read(), file.transform


def check(whole, part, area):
    """Check that `part` equals `whole` around an area, with nodata outside it."""
    fine = TRANSFORM @ TRANSFORM.scale(1 / FACTOR)
    y, x = np.mgrid[: HEIGHT * FACTOR, : WIDTH * FACTOR] + 0.5
    inside = shapely.contains_xy(area, *(fine @ (x, y)))
    (labels,), transform = read(part.output)
    col, row = map(round, ~fine @ (transform.c, transform.f))
    place = (slice(row, row + labels.shape[0]), slice(col, col + labels.shape[1]))
    assert transform.almost_equals(fine @ fine.translation(col, row))
    assert inside.sum() == inside[place].sum() > 0  # nothing is cut off ...
    rows, cols = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    assert (row, col) == (rows[0] // 4 * 4, cols[0] // 4 * 4)  # ... and whole LR pixels are kept
    assert labels.shape == (rows[-1] // 4 * 4 + 4 - row, cols[-1] // 4 * 4 + 4 - col)
    for layer in ("classes", "confidence", "sr"):
        with rasterio.open(part.layers[layer]) as file:
            nodata = file.nodata
        expected = np.where(inside, read(whole.layers[layer])[0], nodata)[:, *place]
        np.testing.assert_array_equal(read(part.layers[layer])[0], expected)
    shares, _ = read(part.layers["fractions"])
    count = np.stack([(labels == k).reshape(-1, 4, shares.shape[2], 4) for k in (1, 2, 3)])
    count = count.sum(axis=(2, 4))
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(shares, count / count.sum(axis=0), rtol=1e-6)
    assert part.windows + part.skipped <= whole.windows + whole.skipped


@pytest.mark.parametrize(
    ("seams", "names"), [("blend", tuple(AREAS)), ("exact", ("over many windows",))]
)
def test_every_layer_is_cut_out_of_the_whole_one(tmp_path, tiny_model, scene, seams, names):
    options = {"seams": seams, "window_size": 40 if seams == "exact" else 32}
    options |= {"confidence": True, "sr": True, "fractions": True}
    with open_model(
        tiny_model(reach=5, halo=6, exact_halo=8, window_size=32), device="cpu"
    ) as model:
        whole = model.map(scene, tmp_path / "whole.tif", **options)
        for name in names:
            part = model.map(scene, tmp_path / f"{name}.tif", aoi=AREAS[name], **options)
            check(whole, part, AREAS[name])


def test_windows_far_from_the_area_are_neither_read_nor_planned(tmp_path, tiny_model, scene):
    with open_model(tiny_model(window_size=32), device="cpu") as model:
        everything = model.plan(scene, overlap=0, window_size=32)
        part = model.plan(scene, overlap=0, window_size=32, aoi=box(33, 33, 40, 40))
        kept = model.plan(
            scene, overlap=0, window_size=32, aoi=box(33, 33, 40, 40), aoi_extent="scene"
        )
    assert (part.width, part.height, part.windows, part.skipped) == (28, 28, 1, 0)
    assert (kept.width, kept.height) == (everything.width, everything.height)
    assert kept.windows == everything.windows
    assert kept.windows - kept.skipped >= 1
    assert part.memory < kept.memory
    assert part.disk < everything.disk / 10


def test_a_stopped_run_resumes_to_the_same_bytes(tmp_path, tiny_model, scene):
    options = {"model": tiny_model(window_size=32), "overlap": 8, "window_size": 32}
    options |= {"aoi": AREAS["over many windows"], "confidence": True}
    whole = predict(scene, tmp_path / "whole.tif", **options)

    def stop(progress):
        if progress.windows_done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(scene, tmp_path / "out.tif", on_progress=stop, **options)
    assert find_stores(tmp_path)
    done = predict(scene, tmp_path / "out.tif", **options)
    assert done.resumed
    for layer, path in whole.layers.items():
        assert done.layers[layer].read_bytes() == path.read_bytes()


def test_an_array_is_cropped_as_a_file_is(tmp_path, tiny_model, scene):
    area = AREAS["over many windows"]
    with open_model(tiny_model(), device="cpu") as model, rasterio.open(scene) as file:
        made = model.map_array(
            file.read(), transform=file.transform, crs=file.crs, band_names=NAMES, aoi=area
        )
        done = model.map(scene, tmp_path / "out.tif", aoi=area)
    (labels,), transform = read(done.output)
    np.testing.assert_array_equal(made.labels, labels)
    assert made.grid.transform.almost_equals(transform)


def test_products_show_the_part(tmp_path, tiny_model, scene):
    page, look = tmp_path / "a.html", tmp_path / "a.png"
    done = predict(
        scene,
        tmp_path / "out.tif",
        model=tiny_model(),
        aoi=box(20, 20, 36, 28),
        report=page,
        quicklook=look,
        count_areas=True,
    )
    assert "Class map of 64 × 32 pixels" in page.read_text()
    assert look.stat().st_size > 1000
    assert done.areas is not None
    assert (done.areas.pixels, done.areas.nodata_pixels) == (64 * 32, 0)
    assert done.summary.mapped == 1


def test_an_extent_is_one_of_two(tiny_model, scene):
    with pytest.raises(SceneError, match="`aoi_extent` 'box': expected one of crop, scene"):
        predict(scene, model=tiny_model(), aoi_extent="box")
