"""A drafted card is ready to train, with any kind of images and masks."""

import warnings

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.datasets.check.data_check import check_dataset
from geosrseg.datasets.datasets import read_dataset
from geosrseg.datasets.draft.card_draft import draft_card, write_card
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.tiny_datasets import TRANSFORM, write_raster

SIZE = 80


def write(folder, images="images/{}.tif", masks="masks/{}.tif", *, count=4, **options):
    """Write images and masks, with three classes or other values in a checkered pattern."""
    values = options.get("values", (0, 1, 2))
    for number in range(count):
        image, mask = folder / images.format(number), folder / masks.format(number)
        for path in (image, mask):
            path.parent.mkdir(parents=True, exist_ok=True)
        rows, cols = np.mgrid[:SIZE, :SIZE] // 10
        index = (rows + cols) % len(values)
        noise = np.random.default_rng(number).integers(0, 30, (3, SIZE, SIZE))
        numbers = (
            (index * 1000 + 500 + 10 * noise) if "dtype" not in options else index * 60 + noise
        )
        save(image, numbers.astype(options.get("dtype", "int16")), number, options.get("names", ()))
        held = np.array(values)[index]
        held = np.moveaxis(held, -1, 0) if held.ndim == 3 else held[None]
        save(mask, held.astype(options.get("mask_dtype", "uint8")), number, ())
    return folder


def save(path, values, number, names):
    """Write a file in the format of its suffix; GeoTIFFs are side by side, with gaps."""
    if path.suffix == ".tif":
        place = TRANSFORM @ Affine.translation(2 * SIZE * number, 0)
        write_raster(path, values, names=names, transform=place)
        return
    driver = {".png": "PNG", ".jpg": "JPEG"}[path.suffix]
    profile = {"driver": driver, "count": len(values), "height": SIZE, "width": SIZE}
    with unreferenced_allowed(), rasterio.open(path, "w", dtype="uint8", **profile) as file:
        file.write(values)


def drafted(folder, **options):
    """Draft the card of a folder and check it as `train --check` does, without a warning."""
    card = folder / "card.toml"
    with warnings.catch_warnings():
        warnings.simplefilter("error", DatasetWarning)
        write_card(draft_card(folder, **options), card)
        found = check_dataset(read_dataset(card))
    assert not found.warnings
    return found.card


def splits(card):
    return [scene.split for scene in card.scenes]


def test_four_images_and_masks(tmp_path):
    card = drafted(write(tmp_path / "fields", names=("red", "nir", "swir1")))
    assert (card.name, card.bands, card.licence) == ("fields", ("red", "nir", "swir1"), "unknown")
    assert card.image.radiometry is None  # the files state it
    assert card.image.indexes is None
    assert card.low == (0.05, 0.05, 0.05)
    assert card.high == (0.28, 0.28, 0.28)
    assert card.legend.ids == (0, 1, 2)
    assert [split.size for split in splits(card)] == [256] * 4
    assert card.guard == 2


def test_names_and_paths_are_the_folders_wherever_the_card_is_read(tmp_path, monkeypatch):
    write(tmp_path / "data", "a_{}.tif", "a_{}_mask.tif", count=1)
    (tmp_path / "cards").mkdir()
    write_card(draft_card(tmp_path / "data"), tmp_path / "cards/a.toml")
    text = (tmp_path / "cards/a.toml").read_text(encoding="utf-8")
    assert 'folder = "../data"' in text
    monkeypatch.chdir("/")
    assert read_dataset(tmp_path / "cards/a.toml").scenes[0].image.is_file()
    moved = read_dataset(tmp_path / "cards/a.toml", data=tmp_path / "data")
    assert moved.scenes[0].reference == tmp_path / "data/a_0_mask.tif"


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images/{}.tif", "masks/{}.png"),
        ("tile{}/images/part_1.jpg", "tile{}/masks/part_1.png"),
        ("image_{}.tif", "mask_{}.tif"),
        ("{}.tif", "{}_GT.tif"),
        ("Img/S2_{}_rgb.png", "Labels/S2_{}.tif"),
        ("all/groundTruth/../{}.tif", "all/groundTruth/{}.tif"),
    ],
)
def test_masks_are_found_by_name(tmp_path, images, masks):
    write(tmp_path, images, masks, dtype="uint8", values=(0, 1, 2))
    pairs = draft_card(tmp_path).pairs
    assert [(pair.image.resolve(), pair.mask.resolve()) for pair in pairs] == [
        ((tmp_path / images.format(n)).resolve(), (tmp_path / masks.format(n)).resolve())
        for n in range(4)
    ]


def test_masks_in_another_folder(tmp_path):
    write(tmp_path, "photos/{}.tif", "drawn/{}.tif")
    card = drafted(tmp_path / "photos", masks=tmp_path / "drawn")
    assert card.scenes[0].reference.resolve() == tmp_path / "drawn/0.tif"


def test_what_has_no_partner_is_left_out(tmp_path):
    write(tmp_path)
    (tmp_path / "masks/3.tif").unlink()
    with pytest.warns(
        DatasetWarning, match=r"1 images have no mask and are left out, first .*3.tif"
    ):
        assert len(draft_card(tmp_path).pairs) == 3


def test_folders_that_say_their_split_keep_it(tmp_path):
    for number, part in enumerate(("train", "val", "test")):
        write(tmp_path, f"{part}/{{}}.tif", f"{part}_msk/{{}}.tif", count=1 + number % 2)
    draft = draft_card(tmp_path)
    assert draft.splits.splits == ("test", "train", "validation", "validation")


def test_every_fifth_of_many_images_validates(tmp_path):
    card = drafted(write(tmp_path, count=10))
    assert sorted(splits(card)) == ["train"] * 8 + ["validation"] * 2


def test_a_place_is_on_one_side_only(tmp_path):
    """Images of one folder show adjacent ground, so whole folders are held out."""
    for shift, place in enumerate(("north", "south", "west")):
        write(
            tmp_path, f"{place}/images/{{}}.png", f"{place}/masks/{{}}.png", dtype="uint8", count=3
        )
        for number in range(3):  # no two have the same pixels
            with (
                unreferenced_allowed(),
                rasterio.open(tmp_path / place / f"images/{number}.png", "r+") as file,
            ):
                file.write(np.roll(file.read(), shift, axis=2))
    draft = draft_card(tmp_path)
    held_out = {
        pair.place for pair, s in zip(draft.pairs, draft.splits.splits, strict=True) if s != "train"
    }
    assert len(held_out) == 1
    assert draft.splits.splits.count("validation") == 3


def test_copies_are_on_one_side(tmp_path):
    write(tmp_path, count=6)
    for kind in ("images", "masks"):
        (tmp_path / kind / "5.tif").write_bytes((tmp_path / kind / "4.tif").read_bytes())
    draft = draft_card(tmp_path)
    assert draft.splits.splits[4] == draft.splits.splits[5]


def test_a_class_of_few_images_is_on_both_sides_if_it_can_be(tmp_path):
    write(tmp_path, count=10)
    for number in (1, 2):
        with rasterio.open(tmp_path / f"masks/{number}.tif", "r+") as file:
            values = file.read()
            values[:, :9, :9] = 7
            file.write(values)
    draft = draft_card(tmp_path)
    assert len({draft.splits.splits[1], draft.splits.splits[2]}) == 2


@pytest.mark.parametrize(
    ("values", "dtype", "ids", "references"),
    [
        ((0, 255), "uint8", (0, 1), ((0,), (255,))),
        ((0, 100), "uint8", (0, 100), ((0,), (100,))),
        ((1, 2, 5), "uint8", (1, 2, 5), ((1,), (2,), (5,))),
        ((0, 1, 255), "uint8", (0, 1), ((0,), (1,))),
        ((-1, 0, 3), "int16", (0, 3), ((0,), (3,))),
        ((11, 300, 1000), "int16", (0, 1, 2), ((11,), (300,), (1000,))),
        ((0.0, 1.0), "float32", (0, 1), ((0,), (1,))),
    ],
)
def test_classes_are_the_values_that_are_found(tmp_path, values, dtype, ids, references):
    card = drafted(write(tmp_path, values=values, mask_dtype=dtype))
    assert card.legend.ids == ids
    assert card.coding.classes == references


def test_classes_are_the_colours_that_are_found(tmp_path):
    colours = ((60, 16, 152), (132, 41, 246), (110, 193, 228))
    card = drafted(write(tmp_path, "images/{}.png", "masks/{}.png", values=colours, dtype="uint8"))
    assert card.coding.is_coloured
    assert {code for codes in card.coding.classes for code in codes} == {
        0x3C1098,
        0x8429F6,
        0x6EC1E4,
    }
    assert card.bands == ("red", "green", "blue")
    assert card.image.radiometry.scale == pytest.approx((1 / 255,) * 3)


def test_lossy_masks_give_ranges_or_a_tolerance(tmp_path):
    two = drafted(write(tmp_path / "two", masks="masks/{}.jpg", values=(0, 255), dtype="uint8"))
    assert [len(codes) for codes in two.coding.classes] == [128, 128]
    colours = ((255, 0, 0), (0, 255, 0))
    many = write(tmp_path / "many", masks="masks/{}.jpg", values=colours, dtype="uint8")
    draft = draft_card(many)
    assert draft.classes.tolerance == 60
    assert len(draft.classes.classes) == 2


def test_a_palette_that_all_masks_share_gives_numbers_with_its_colours(tmp_path):
    write(tmp_path, values=(0, 3))
    for number in range(4):
        with rasterio.open(tmp_path / f"masks/{number}.tif") as file:
            profile, values = file.profile, file.read()
        with rasterio.open(tmp_path / f"masks/{number}.tif", "w", **profile) as file:
            file.write(values)
            file.write_colormap(1, {0: (1, 2, 3, 255), 3: (255, 0, 0, 255)})
    card = drafted(tmp_path)
    assert card.legend.ids == (0, 3)
    assert [item.colour for item in card.legend.classes] == ["#010203", "#ff0000"]


def test_undeclared_nodata_is_said(tmp_path):
    write(tmp_path)
    with rasterio.open(tmp_path / "images/2.tif", "r+") as file:
        values = file.read()
        values[:, :, :20] = -9999
        file.write(values)
    card = drafted(tmp_path)
    assert card.image.nodata == -9999
    assert card.image.radiometry.scale == (1e-4,) * 3
    assert min(card.low) == 0.05  # markers do not widen the range


def test_numbers_of_unknown_meaning_keep_their_own_range(tmp_path):
    write(tmp_path)
    for number in range(4):
        with rasterio.open(tmp_path / f"images/{number}.tif") as file:
            values, place = file.read() + 8000, file.transform
        write_raster(tmp_path / f"images/{number}.tif", values.astype("uint16"), transform=place)
    card = drafted(tmp_path)
    assert card.image.radiometry.scale == (1.0,) * 3
    assert card.low[0] == 8500
    (tmp_path / "card.toml").unlink()
    landsat = drafted(tmp_path, scale=0.0000275, offset=-0.2)
    assert landsat.image.radiometry.offset == (-0.2,) * 3
    assert landsat.low[0] == pytest.approx(0.03, abs=0.01)


def test_polygons_of_all_images(tmp_path):
    pyogrio = pytest.importorskip("pyogrio.raw")
    import shapely

    write(tmp_path, masks="unused/{}_mask.tif")
    for file in (tmp_path / "unused").iterdir():
        file.unlink()
    boxes, kinds = [], []
    for number in range(4):
        with rasterio.open(tmp_path / f"images/{number}.tif") as file:
            left, bottom, right, top = file.bounds
        for part, kind in enumerate(("field", "wood")):
            for strip in range(5):
                low = bottom + (2 * strip + part) * (top - bottom) / 10
                boxes.append(shapely.box(left, low, right, low + (top - bottom) / 10))
                kinds.append(kind)
    fields = [np.array(kinds, object), np.arange(40.0) + 0.5]
    pyogrio.write(
        tmp_path / "land.gpkg", shapely.to_wkb(boxes), fields, ["kind", "size"],
        geometry_type="Polygon", crs="EPSG:32636", driver="GPKG",
    )  # fmt: skip
    card = drafted(tmp_path)
    assert card.polygons.name == "kind"
    assert card.legend.names == ("field", "wood")


def test_polygons_are_opened_by_their_content(tmp_path):
    """GDAL would follow a VRT to other files."""
    pytest.importorskip("pyogrio")
    write(tmp_path, masks="unused/{}_mask.tif")
    for file in (tmp_path / "unused").iterdir():
        file.unlink()
    (tmp_path / "land.gpkg").write_text(
        "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/hostname</SrcDataSource>"
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(DatasetError, match=r"land\.gpkg: cannot be read .*expected GeoPackage"):
        draft_card(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"masks": "other/{}.tif"}, "holds no image with its mask"),
        ({"values": (3,)}, r"the masks hold only one class \(3, first .*0.tif"),
        ({"values": (0.5, 1), "mask_dtype": "float32"}, "0.tif holds 0.5: class ids are whole"),
        ({"images": "images/{}.png", "dtype": "uint8", "odd": True}, "bands 1, while 3 of 4"),
    ],
)
def test_what_cannot_be_drafted_is_one_error(tmp_path, change, said):
    odd = change.pop("odd", False)
    write(tmp_path, **change)
    if odd:
        save(tmp_path / "images/2.png", np.ones((1, SIZE, SIZE), np.uint8), 2, ())
    with pytest.raises(DatasetError, match=said):
        draft_card(tmp_path)


def test_bands_of_other_names_are_not_guessed(tmp_path):
    write(tmp_path, names=("red", "green", "blue"))
    with rasterio.open(tmp_path / "images/1.tif", "r+") as file:
        file.descriptions = ("blue", "green", "nir")
    with pytest.raises(DatasetError, match="give all images the same band names"):
        draft_card(tmp_path)
