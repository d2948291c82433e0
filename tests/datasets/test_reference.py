import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.reference_coding import ReferenceCoding, parse_codes
from geosrseg.datasets.reference import open_reference
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.storage.gdal import unreferenced_allowed

WHITE, BLUE, BLACK, RED = 0xFFFFFF, 0x0000FF, 0x000000, 0xFF0000
COLOURS = ReferenceCoding(True, ((BLUE,), (WHITE,)), (BLACK,))
NUMBERS = ReferenceCoding(False, ((0, 1), (300,)), (7,))


PLACE = Affine(20, 0, 500_000, 0, -20, 800_000)


def write(path, values, *, colours=None, nodata=None, driver="GTiff", crs=None):
    """Write (bands, rows, cols), with an optional palette."""
    count, height, width = values.shape
    profile = {"driver": driver, "count": count, "height": height, "width": width}
    if crs:
        profile |= {"crs": crs, "transform": PLACE}
    with (
        unreferenced_allowed(),
        rasterio.open(path, "w", dtype=values.dtype.name, nodata=nodata, **profile) as file,
    ):
        if colours:
            file.write_colormap(1, dict(enumerate(colours)))
        file.write(values)
    return path


def grid_of(path):
    files = RasterFiles()
    with files.use(path) as dataset:
        grid = Grid.of(dataset)
    files.close()
    return grid


def read(path, coding, *, grid=None):
    """Return class indices on the file's or another grid, and the unknown codes."""
    files = RasterFiles()
    grid = grid or grid_of(path)
    reference = open_reference(path, coding=coding, grid=grid, files=files)
    whole = Window(0, 0, grid.height, grid.width)
    found = reference.read(whole), coding.count_unknown(reference.read_codes(whole))
    files.close()
    return found


def rgb(codes):
    """(rows, cols) codes as (3, rows, cols) bytes."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255]).astype(np.uint8)


CODES = np.array([[WHITE, BLUE, BLACK], [RED, RED, WHITE]])


@pytest.mark.parametrize("driver", ["GTiff", "PNG"])
def test_colours_become_classes_and_no_other_colour_does(tmp_path, driver):
    found, unknown = read(write(tmp_path / "a", rgb(CODES), driver=driver), COLOURS)
    assert found.tolist() == [[1, 0, NODATA], [NODATA, NODATA, 1]]
    assert unknown == {RED: 2}


def test_a_transparent_pixel_has_no_class(tmp_path):
    alpha = np.array([[0, 255, 255], [0, 255, 255]], np.uint8)
    values = np.concatenate([rgb(CODES), alpha[None]])
    found, unknown = read(write(tmp_path / "a.png", values, driver="PNG"), COLOURS)
    assert found.tolist() == [[NODATA, 0, NODATA], [NODATA, NODATA, 1]]
    assert unknown == {RED: 1}


def test_a_palette_is_read_as_its_colours(tmp_path):
    colours = [(255, 255, 255), (0, 0, 255), (0, 0, 0), (255, 0, 0)]
    values = np.array([[[0, 1, 2], [3, 3, 0]]], np.uint8)
    path = write(tmp_path / "a.png", values, colours=colours, driver="PNG")
    found, unknown = read(path, COLOURS)
    assert found.tolist() == [[1, 0, NODATA], [NODATA, NODATA, 1]]
    assert unknown == {RED: 2}


def test_a_palette_may_hold_class_numbers_all_the_same(tmp_path):
    values = np.array([[[0, 1, 7]]], np.uint8)
    path = write(tmp_path / "a.png", values, colours=[(9, 9, 9)] * 8, driver="PNG")
    assert read(path, NUMBERS)[0].tolist() == [[0, 0, NODATA]]


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64"])
def test_numbers_of_any_type_become_classes(tmp_path, dtype):
    values = np.array([[[0, 1, 300, 7, 5, 70_000 if dtype != "uint16" else 5]]], dtype)
    found, unknown = read(write(tmp_path / "a.tif", values), NUMBERS)
    assert found.tolist() == [[0, 0, 1, NODATA, NODATA, NODATA]]
    assert sum(unknown.values()) == 2
    assert unknown[5] >= 1


def test_what_no_number_is_has_no_class_and_raises_no_alarm(tmp_path):
    values = np.array([[[np.nan, 0.5, -9999, 255, 0]]], np.float32)
    found, unknown = read(write(tmp_path / "a.tif", values, nodata=-9999), NUMBERS)
    assert found.tolist() == [[NODATA, NODATA, NODATA, NODATA, 0]]
    assert sum(unknown.values()) == 1  # 0.5


def test_a_class_that_the_card_names_wins_over_nodata(tmp_path):
    masks = ReferenceCoding(False, (tuple(range(128)), tuple(range(128, 256))))
    values = np.array([[[0, 127, 128, 255]]], np.uint8)
    found, unknown = read(write(tmp_path / "a.tif", values, nodata=0), masks)
    assert found.tolist() == [[0, 0, 1, 1]]
    assert not unknown


@pytest.mark.parametrize(
    ("values", "coding", "message"),
    [
        (np.zeros((3, 2, 2), np.uint8), NUMBERS, "3 bands of uint8, .* one band was expected"),
        (np.zeros((1, 2, 2), np.uint8), COLOURS, "1 band of uint8, .* three bands of uint8 or"),
        (np.zeros((3, 2, 2), np.uint16), COLOURS, "3 bands of uint16, .* three bands of uint8"),
        (np.zeros((1, 2, 2), np.complex64), NUMBERS, "complex64: class ids are whole numbers"),
    ],
)
def test_a_reference_of_another_kind_than_the_card_says_is_refused(
    tmp_path, values, coding, message
):
    path = write(tmp_path / "a.tif", values)
    with pytest.raises(DatasetError, match=message):
        open_reference(path, coding=coding, grid=grid_of(path), files=RasterFiles())


@pytest.mark.parametrize("kind", ["colours", "palette", "numbers"])
def test_a_reference_on_another_grid_is_read_on_the_images(tmp_path, kind):
    """The image's grid is twice as fine, starts one pixel further in, and reaches further."""
    colours = [(255, 255, 255), (0, 0, 255), (0, 0, 0), (255, 0, 0)]
    numbers = np.array([[[0, 1, 2], [3, 3, 0]]], np.uint8)
    coding, values = COLOURS, numbers
    if kind == "colours":
        values = rgb(CODES)
    if kind == "numbers":
        coding = ReferenceCoding(False, ((1,), (0,)), (2,))
    palette = colours if kind == "palette" else None
    nodata = None if palette else 0  # in a palette it would be transparent
    path = write(tmp_path / "a.tif", values, colours=palette, nodata=nodata, crs="EPSG:32636")
    grid = Grid(CRS.from_epsg(32636), Affine(10, 0, 500_020, 0, -10, 800_000), 5, 6)
    found, unknown = read(path, coding, grid=grid)
    none = NODATA
    expected = [[0, 0, none, none], [0, 0, none, none], [none, none, 1, 1], [none, none, 1, 1]]
    assert found[:4, :4].tolist() == expected
    assert (found[4:] == none).all()
    assert (found[:, 4:] == none).all()
    assert sum(unknown.values()) == 4


def test_a_code_has_one_meaning():
    with pytest.raises(ValueError, match="#0000ff of the references has two meanings"):
        ReferenceCoding(True, ((BLUE,), (WHITE, BLUE)))
    with pytest.raises(ValueError, match="7 of the references has two meanings"):
        ReferenceCoding(False, ((7,), (1,)), (7,))


def test_a_negative_number_may_be_ignored_or_a_class(tmp_path):
    path = write(tmp_path / "a.tif", np.array([[[-1, -9999, 1, -2]]], np.int16))
    found, unknown = read(path, ReferenceCoding(False, ((1,), (-2,)), (-1,)))
    assert found.tolist() == [[NODATA, NODATA, 0, 1]]
    assert unknown == {-9999: 1}


def test_near_colours_have_the_meaning_of_the_nearest(tmp_path):
    coding = ReferenceCoding(True, ((BLUE,), (WHITE,)), (BLACK,), tolerance=40)
    codes = np.array([[0x0A0AE0, 0xF0FAFF, 0x101010, 0x808080]])
    found, unknown = read(write(tmp_path / "a.tif", rgb(codes)), coding)
    assert found.tolist() == [[0, 1, NODATA, NODATA]]
    assert unknown == {0x808080: 1}


def test_codes_are_numbers_ranges_or_colours():
    assert parse_codes(3) == (False, (3,))
    assert parse_codes(-1) == (False, (-1,))
    assert parse_codes("5-7") == (False, (5, 6, 7))
    assert parse_codes("#00Ff00") == (True, (0x00FF00,))


@pytest.mark.parametrize("item", [-32769, 65536, True, 1.5, "3", "7-5", "#fff", "0-65536", [3]])
def test_anything_else_is_no_code(item):
    with pytest.raises(ValueError, match=r".+"):
        parse_codes(item)
