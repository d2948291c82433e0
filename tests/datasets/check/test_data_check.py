"""Likely mistakes in a dataset are reported before training."""

import re
import warnings

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.check.data_check import check_dataset
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.tiny_datasets import TRANSFORM, write_raster

CARD = """
name = "places"
{extra}
[bands]
red = [0.0, 0.5]
nir = [0.0, 0.5]
{image}
[[classes]]
id = 0
name = "dark"
[[classes]]
id = 1
name = "bright"
{more}
"""
SIZE = 64


def write(folder, name, *, values=None, reference=None, east=0, dtype="int16", names=True):
    """Write an image and its reference, moved `east` metres; both are noise by default."""
    generator = np.random.default_rng(sum(map(ord, name)))
    if values is None:
        values = generator.integers(500, 4500, (2, SIZE, SIZE))
    if reference is None:
        reference = generator.integers(0, 2, (1, SIZE, SIZE))
    place = TRANSFORM @ Affine.translation(east / 30, 0)
    bands = {"names": ("red", "nir")} if names else {}
    write_raster(folder / f"{name}.tif", values.astype(dtype), transform=place, **bands)
    write_raster(folder / f"{name}_ref.tif", reference.astype("int16"), transform=place)


def check(folder, *, splits=None, extra="", image="", more=""):
    """Check a card that lists images of the folder."""
    splits = splits or {"a": "train", "b": "validation"}
    scenes = "".join(
        f'[[scenes]]\nimage = "{name}.tif"\nreference = "{name}_ref.tif"\nsplit = "{split}"\n'
        for name, split in splits.items()
    )
    path = folder / "card.toml"
    path.write_text(CARD.format(extra=extra, image=image, more=more) + scenes, encoding="utf-8")
    return check_dataset(read_card(path, data=folder))


def said(folder, **options):
    """Return the check's warnings and its error, if any, as one text."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            check(folder, **options)
        except DatasetError as error:
            found.append(error)
    return "\n".join(str(getattr(each, "message", each)) for each in found)


@pytest.fixture
def two(tmp_path):
    """Two images without a fault."""
    write(tmp_path, "a")
    write(tmp_path, "b", east=90_000)
    return tmp_path


def test_nothing_is_said_of_good_data(two):
    found = check(two)
    assert list(found.warnings) == []
    lines = found.lines()
    assert lines[0] == (
        "data: places, 2 images of 64 x 64 pixels, 2 bands of int16; scale 0.0001, offset 0 "
        "(from the file), nodata none"
    )
    assert lines[1].split()[:4] == ["band", "[low,", "high]", "0.1"]
    dark = next(line for line in lines if line.strip().startswith("0 dark"))
    with rasterio.open(two / "a_ref.tif") as file:
        count = int((file.read(1) == 0).sum())
    assert f"{count:,} ({count / SIZE**2:.1%})" in dark
    assert found.band_lines()[1].startswith("red = [0.05, 0.45]")


WARNED = {
    "a scale too small": (
        {"image": "[image]\nscale = 0.000001"},
        r"values of red range from .* and \[bands\] says 0 to 0.5: .*% of the range is used",
    ),
    "a range too narrow": (
        {"image": "[image]\nscale = 0.00015"},
        r"values of red range .*: \d\d% are outside and become 0 or 1",
    ),
    "a class without pixels": (
        {"more": '[[classes]]\nid = 5\nname = "lava"\nreference = 9'},
        r"class lava \(reference 9\) has no pixel in the training split",
    ),
    "the same file twice": (
        {"splits": {"a": "train", "./a": "validation"}},
        r"a.tif.*(in two splits|the same pixels as)",
    ),
}


@pytest.mark.parametrize(("options", "message"), WARNED.values(), ids=WARNED)
def test_the_card_is_doubted(two, options, message):
    assert re.search(message, said(two, **options))


def test_undeclared_nodata_is_named_and_left_out(two):
    values = np.random.default_rng(0).integers(500, 4500, (2, SIZE, SIZE))
    values[:, :16] = -9999
    write(two, "a", values=values)
    assert re.search(
        r"a.tif: 25.0% .* -9999 .*\(1 of 2 .* nodata = -9999",
        said(two, image="[image]\nscale = 0.0001"),
    )
    assert list(check(two, image="[image]\nscale = 0.0001\nnodata = -9999").warnings) == []


def test_values_of_another_image_are_cut_off(two):
    values = np.random.default_rng(0).integers(9_000, 20_000, (2, SIZE, SIZE))
    write(two, "c", values=values, east=180_000)
    assert re.search(
        r"c.tif: 100% of its values become 0 or 1",
        said(two, splits={"a": "train", "b": "validation", "c": "train"}),
    )


def test_all_values_cut_off_is_an_error(two):
    with pytest.raises(DatasetError, match=r"100% .*check scale and \[bands\]; all images"):
        check(two, image="[image]\nscale = 1")


def test_8_bits_among_16_are_refused(two):
    write(two, "c", dtype="uint8", values=np.full((2, SIZE, SIZE), 9), east=180_000)
    with pytest.raises(DatasetError, match=r"c.tif is uint8, and 2 of 3 images are int16"):
        check(
            two,
            splits={"a": "train", "b": "validation", "c": "train"},
            image="[image]\nscale = 0.0001",
        )


@pytest.mark.parametrize("value", [-1, 7])
def test_a_value_of_no_class_is_shown(two, value):
    reference = np.random.default_rng(0).integers(0, 2, (1, SIZE, SIZE))
    reference[0, 0, :5] = value
    write(two, "a", reference=reference)
    assert re.search(rf"{value} \(5 pixels, first in .*a_ref.tif\)", said(two))
    assert list(check(two, extra=f"ignored = [{value}]").warnings) == []


def test_labels_from_1_on_are_told(two):
    for name in ("a", "b"):
        generator = np.random.default_rng(0)
        reference = generator.integers(1, 3, (1, SIZE, SIZE))
        write(two, name, reference=reference, east=90_000 * ord(name))
    assert re.search("They hold 1 to 2, and the card names 0 to 1.*\n.*only one class", said(two))


def test_one_class_is_an_error(two):
    write(two, "a", reference=np.ones((1, SIZE, SIZE)))
    with pytest.raises(DatasetError, match=r"only one class \(bright \(reference 1\)\)"):
        check(two)


def test_a_class_that_is_not_validated_is_named(two):
    write(two, "b", reference=np.zeros((1, SIZE, SIZE)), east=90_000)
    assert re.search(r"bright \(reference 1\) has no pixel in the validation", said(two))


def test_255_as_a_class_in_one_reference_is_named(two):
    values = np.random.default_rng(0).choice([0, 255], (1, SIZE, SIZE))
    write(two, "c", reference=values, east=180_000)
    assert re.search(
        r"c_ref.tif holds one class, and 255 .*is 255 a class",
        said(two, splits={"a": "train", "b": "validation", "c": "train"}),
    )


def test_common_ground_is_named_with_its_share(two):
    write(two, "b", east=30 * SIZE / 4)
    with pytest.warns(
        UserWarning, match=r"75% of the ground of .*b.tif \(validation\) is in .*a.t"
    ):
        check(two)


def test_a_copy_without_a_georeference_is_found(tmp_path):
    for name in ("a", "b"):
        generator = np.random.default_rng(1)
        values = generator.integers(500, 4500, (2, SIZE, SIZE)).astype("int16")
        reference = generator.integers(0, 2, (1, SIZE, SIZE)).astype("uint8")
        nowhere = {"crs": None, "transform": Affine.identity()}
        with unreferenced_allowed():
            write_raster(tmp_path / f"{name}.tif", values, names=("red", "nir"), **nowhere)
            write_raster(tmp_path / f"{name}_ref.tif", reference, **nowhere)
    assert re.search(r"b.tif \(validation\) holds the same pixels as .*a.tif", said(tmp_path))


def test_blocks_of_one_image_are_no_leak(two):
    path = two / "card.toml"
    text = CARD.format(extra="", image="", more="") + (
        '[[scenes]]\nimage = "a.tif"\nreference = "a_ref.tif"\nsplit = "train"\n'
        "validation_block = 8\n"
    )
    path.write_text(text, encoding="utf-8")
    assert list(check_dataset(read_card(path, data=two)).warnings) == []


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_photo_that_viewers_turn_is_named(tmp_path):
    """A mask drawn on the turned view would not fit the stored pixels."""
    pixels = np.random.default_rng(0).integers(0, 255, (3, SIZE, SIZE), np.uint8)
    plain = write_jpeg(tmp_path / "a.jpg", pixels)
    # The EXIF segment of a camera held upright: one entry, orientation 6.
    entry = bytes.fromhex("011200030000000100060000")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + bytes(4)
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "a.jpg").write_bytes(plain[:2] + segment + plain[2:])
    labels = (pixels[:1] > 99).astype(np.uint8)
    write_raster(tmp_path / "a_ref.tif", labels, transform=Affine.identity(), crs=None)
    card = CARD.replace("nir = [0.0, 0.5]", "nir = [0.0, 0.5]\nblue = [0.0, 1.0]")
    card = card.format(extra="", image="[image]\nscale = 0.002\nbands = [1, 2, 3]", more="")
    scene = '[[scenes]]\nimage = "a.jpg"\nreference = "a_ref.tif"\nsplit = "train"\n'
    (tmp_path / "card.toml").write_text(card + scene, encoding="utf-8")
    message = r"a.jpg is shown turned by its EXIF orientation \(1 of 1 images\)"
    with pytest.warns(DatasetWarning, match=message):
        check_dataset(read_card(tmp_path / "card.toml", data=tmp_path))


def write_jpeg(path, pixels):
    profile = {"driver": "JPEG", "height": SIZE, "width": SIZE, "count": 3, "dtype": "uint8"}
    with unreferenced_allowed(), rasterio.open(path, "w", **profile) as file:
        file.write(pixels)
    return path.read_bytes()


def test_a_number_among_others_like_it_marks_nothing(two):
    """-999 may be a reflectance of -0.1: atmospheric correction gives such numbers over water."""
    values = np.random.default_rng(0).integers(-1500, 4500, (2, SIZE, SIZE))
    values[0, 0, 0] = -999
    write(two, "a", values=values)
    assert not [text for text in said(two) if "-999" in text]
