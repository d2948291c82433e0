import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.warp import reproject, transform_bounds

from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.files.warp import Warp, check_overlap, coarsened, pixel_ratio, same_grid
from geosrseg.raster.storage.gdal import unreferenced_allowed

UTM, UTM_NEXT, GEOGRAPHIC = (CRS.from_epsg(code) for code in (32636, 32637, 4326))
FINE = Grid(UTM, Affine(10, 0, 500_000, 0, -10, 800_000), 120, 100)


def write(path, values, grid, *, nodata=None):
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width}
    place = {"crs": grid.crs, "transform": grid.transform}
    with rasterio.open(path, "w", dtype=values.dtype, nodata=nodata, **place, **profile) as file:
        file.write(values)
    return path


def read(path, warp):
    files = RasterFiles()
    with files.use(path, warp) as dataset:
        bands = dataset.read()
        masks = dataset.read_masks(1)
    files.close()
    return bands, masks != 0


def elsewhere(crs):
    """A coarser grid in another CRS over the middle of `FINE`."""
    left, bottom, right, top = transform_bounds(UTM, crs, *FINE.bounds)
    width, height = (right - left) / 60, (top - bottom) / 60
    return Grid(crs, Affine(width, 0, left + 10 * width, 0, -height, top - 10 * height), 40, 40)


@pytest.mark.parametrize("crs", [UTM, UTM_NEXT, GEOGRAPHIC])
def test_classes_are_taken_from_the_nearest_pixel_as_gdal_does(tmp_path, crs):
    grid = elsewhere(crs)
    values = np.random.default_rng(0).integers(0, 9, (1, 40, 40)).astype(np.uint8)
    bands, covered = read(write(tmp_path / "a.tif", values, grid), Warp(FINE))
    expected, inside = (
        np.full((FINE.height, FINE.width), 77, np.uint8),
        np.zeros((FINE.height, FINE.width), np.uint8),
    )
    for source, target in ((values[0], expected), (np.ones((40, 40), np.uint8), inside)):
        reproject(
            source,
            target,
            src_transform=grid.transform,
            src_crs=grid.crs,
            dst_transform=FINE.transform,
            dst_crs=FINE.crs,
            resampling=Resampling.nearest,
            init_dest_nodata=False,
        )
    assert np.array_equal(covered, inside == 1)
    assert covered.any()
    assert not covered.all()
    assert (bands[0] == expected)[covered].mean() > 0.995  # GDAL approximates curved grids


def test_a_value_that_is_nodata_in_the_file_is_still_read_where_it_lies(tmp_path):
    """The card may assign nodata a class; pixels outside the file have none."""
    grid = Grid(UTM, Affine(20, 0, 500_000, 0, -20, 800_000), 30, 30)
    path = write(tmp_path / "a.tif", np.zeros((1, 30, 30), np.uint8), grid, nodata=0)
    bands, covered = read(path, Warp(FINE))
    assert covered[:60, :60].all()
    assert not covered[60:].any()
    assert (bands[0] == 0).all()


def test_an_image_on_the_same_grid_stays_as_it_is_under_interpolation(tmp_path):
    values = np.random.default_rng(0).integers(-500, 9000, (2, 120, 100)).astype(np.int16)
    bands, covered = read(write(tmp_path / "a.tif", values, FINE), Warp(FINE, cubic=True))
    assert np.array_equal(bands[:2], values)
    assert covered.all()


def test_interpolation_uses_no_nodata(tmp_path):
    values = np.full((1, 120, 100), 1000, np.int16)
    values[:, 40:60] = -9999
    shifted = Grid(UTM, FINE.transform * Affine.translation(0.5, 0.5), 110, 90)
    path = write(tmp_path / "a.tif", values, FINE, nodata=-9999)
    bands, covered = read(path, Warp(shifted, cubic=True))
    assert set(np.unique(bands[0])) == {-9999, 1000}
    assert np.array_equal(covered, bands[0] == 1000)
    undeclared = write(tmp_path / "b.tif", values, FINE)
    again, _ = read(undeclared, Warp(shifted, cubic=True, nodata=-9999))
    assert np.array_equal(again, bands)


def test_a_linear_ramp_is_interpolated_exactly(tmp_path):
    ramp = (np.arange(100) * 100.0)[None, None] * np.ones((1, 120, 1))
    shifted = Grid(UTM, FINE.transform * Affine.translation(0.25, 0), 120, 90)
    bands, _ = read(write(tmp_path / "a.tif", ramp, FINE), Warp(shifted, cubic=True))
    expected = (np.arange(90) + 0.25) * 100
    assert np.allclose(bands[0][:, 3:-3], expected[3:-3], atol=1)


def test_the_same_grid_is_known():
    moved = Grid(UTM, FINE.transform * Affine.translation(0.5, 0), 120, 100)
    unlocated = Grid(None, Affine.identity(), 120, 100)
    assert same_grid(FINE, Grid(None, FINE.transform, 120, 100))
    assert same_grid(FINE, unlocated)
    assert not same_grid(FINE, moved)
    assert not same_grid(FINE, Grid(UTM_NEXT, FINE.transform, 120, 100))
    assert not same_grid(FINE, Grid(UTM, FINE.transform, 121, 100))


def test_what_lies_elsewhere_is_refused():
    far = Grid(UTM, Affine(10, 0, 900_000, 0, -10, 800_000), 50, 50)
    with pytest.raises(DatasetError, match=r"a\.tif has 50x50 .*EPSG:32636, its .*no ground in"):
        check_overlap(far, FINE, name="a.tif", of="its image")
    with pytest.raises(DatasetError, match=r"without a CRS, .* give both files a CRS"):
        check_overlap(Grid(None, far.transform, 50, 50), FINE, name="a.tif", of="its image")


@pytest.mark.parametrize("crs", [UTM, UTM_NEXT])
def test_pixel_sizes_are_compared_on_the_ground(crs):
    left, top = transform_bounds(UTM, crs, *FINE.bounds)[0::3]
    coarse = Grid(crs, Affine(40, 0, left, 0, -80, top), 15, 25)
    assert pixel_ratio(coarse, FINE) == pytest.approx((8, 4), rel=1e-2)


def test_a_coarser_grid_has_the_same_origin():
    coarse = coarsened(FINE, 8)
    assert (coarse.height, coarse.width) == (15, 12)
    assert coarse.transform @ (0, 0) == FINE.transform @ (0, 0)
    assert coarse.transform @ (1, 2) == FINE.transform @ (8, 16)


def test_a_vrt_of_the_users_is_not_opened(tmp_path):
    path = tmp_path / "a.tif"
    path.write_text("<VRTDataset rasterXSize='1' rasterYSize='1'/>")
    with unreferenced_allowed(), pytest.raises(DatasetError, match="has an unknown format"):
        read(path, Warp(FINE))
