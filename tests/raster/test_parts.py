"""Files of one product given as scenes: one map, with the product's name."""

import numpy as np

from geosrseg.batch.scene_list import list_scenes
from geosrseg.mapping.output_names import default_output, map_paths
from geosrseg.raster.sensors.parts import one_part_each, product_of_part
from geosrseg.raster.storage.location import Location
from tests.tiny_products import LEVEL_1, LEVEL_2, write_item, write_product
from tests.tiny_sentinel2 import LEVEL_2A, write_safe


def test_of_the_files_of_a_product_the_first_stands_for_all(tmp_path):
    flags = np.zeros((40, 56))
    one = sorted(write_product(tmp_path / "one", qa_pixel=flags).iterdir())
    other = sorted(write_product(tmp_path / "other", LEVEL_1).iterdir())
    plain = tmp_path / "plain.tif"
    plain.touch()
    assert one_part_each([*one, plain, *other, plain]) == [one[0], plain, other[0], plain]
    assert [
        scene.name for scene in list_scenes(list(map(str, [*one, plain])), items_folder=tmp_path)
    ] == [LEVEL_2, "plain"]
    assert default_output(one[0]) == tmp_path / "one" / f"{LEVEL_2}_classes.tif"
    assert map_paths([one[0], other[0]], tmp_path) == [
        tmp_path / f"{name}.tif" for name in (LEVEL_2, LEVEL_1)
    ]


def test_an_item_beside_its_product_is_another_part_of_it(tmp_path):
    folder = write_product(tmp_path / "one")
    item = write_item(folder)
    files = sorted({*folder.iterdir()} - {item})
    assert one_part_each([*files, item]) == one_part_each([item, *files]) == [files[0]]
    alone = write_item(write_product(tmp_path / "other", LEVEL_1), base=f"{tmp_path}/other/")
    elsewhere = alone.rename(tmp_path / "item.json")
    assert one_part_each([*files, elsewhere]) == [files[0], elsewhere]
    assert one_part_each([item]) == [item]


def test_a_safe_folder_gives_its_map_a_name(tmp_path):
    safe = write_safe(tmp_path)
    assert default_output(safe) == tmp_path / f"{LEVEL_2A}_classes.tif"
    assert product_of_part(Location.of(safe / "MTD_MSIL2A.xml")) == LEVEL_2A
    assert product_of_part(Location.of(safe)) == ""
