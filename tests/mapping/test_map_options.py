"""What is wanted of a map: groups of options, and the same by the names of the command line."""

import pytest
import shapely

import geosrseg
from geosrseg.core.option import options_of
from geosrseg.errors import GeosrsegError
from geosrseg.mapping.layers.layers import LAYERS
from geosrseg.mapping.map_options import MapOptions
from geosrseg.mapping.windowing import Windowing
from geosrseg.products.products import PRODUCTS, Products
from geosrseg.raster.reading import Reading


def test_named_options_go_where_they_belong(tmp_path):
    named = MapOptions().having(
        bands="1,2,3", seams="exact", sr=True, vector="a.gpkg", min_area=5, count_areas=True
    )
    assert named == MapOptions(
        reading=Reading(bands="1,2,3"),
        windows=Windowing(seams="exact"),
        layers=["sr"],
        products=Products(
            files={"vector": "a.gpkg"},
            options={"vector": geosrseg.PolygonOptions(min_area=5)},
            count_areas=True,
        ),
    )


def test_they_change_options_and_leave_the_others(tmp_path):
    options = MapOptions().having(scale=2.0, batch=3, sr=True, areas="a.csv")
    changed = options.having(offset=1.0, sr=False, areas=None)
    assert (changed.reading.scale, changed.reading.offset) == (2.0, 1.0)
    assert (changed.windows.batch, changed.layers, changed.products.files) == (3, ("classes",), {})


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"bands": [3, 2, 1]}, {"bands": "3,2,1"}),
        ({"bands": {"green": 3, "red": 4}}, {"bands": "green=3,red=4"}),
        ({"mask": "cloud"}, {"mask": ["cloud"]}),
        ({"mask": "cloud, shadow"}, {"mask": ("cloud", "shadow")}),
        ({"aoi": (1, 2, 3.5, 4)}, {"aoi": "1.0,2.0,3.5,4.0"}),
    ],
)
def test_the_natural_forms_of_python_mean_the_same(given, meant):
    assert Reading(**given) == Reading(**meant)


def test_a_title_has_the_scenes_name_where_it_says_so():
    products = MapOptions().having(report="{name}.html", title="Delta, {name}").products
    assert products.named("S1").title == "Delta, S1"


def test_a_geometry_stays_one():
    box = shapely.box(0, 0, 1, 1)
    assert Reading(aoi=box).aoi is box


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"band": "1,2,3"}, "no option 'band': did you mean bands"),
        ({"seams": "sharp"}, "`seams` 'sharp': expected one of blend, exact"),
        ({"batch": 0}, "`batch` 0: expected a whole number from 1 on"),
        ({"overlap": 1.5}, "`overlap` 1.5: expected a whole number from 0 on"),
        ({"scale": "much"}, "`scale` 'much': expected a number"),
        ({"scale": float("nan")}, "`scale` nan: expected a number"),
        ({"title": "Delta"}, "`title` needs `report` or `quicklook`"),
        ({"min_area": 5.0}, "`min_area` needs `vector`: give its file"),
    ],
)
def test_what_is_unusable_is_refused_by_the_name_of_its_field(named, message):
    with pytest.raises(GeosrsegError, match=message):
        MapOptions().having(**named)


def test_unknown_layers_and_products_are_refused():
    with pytest.raises(GeosrsegError, match="no layer 'height': expected some of classes,"):
        MapOptions(layers=["height"])
    with pytest.raises(GeosrsegError, match="no product 'pdf': expected some of quicklook,"):
        Products(files={"pdf": "a.pdf"})


class TestDoors:
    """What the command line says of a thing, and the thing itself."""

    @pytest.mark.parametrize("name", LAYERS.names)
    def test_a_layer_is_one(self, name):
        layer = LAYERS.load(name)
        assert issubclass(layer, geosrseg.Layer)
        assert layer.asset.title
        assert LAYERS.help(name).endswith(".")

    @pytest.mark.parametrize("name", PRODUCTS.names)
    def test_a_product_is_one(self, name, tmp_path):
        product = PRODUCTS.load(name)
        assert issubclass(product, geosrseg.ProductFile)
        assert product.options is PRODUCTS.options(name)
        for suffix in product.suffixes:
            assert product().asset(tmp_path / f"a{suffix}").media_type
        assert PRODUCTS.help(name).endswith(".")

    def test_no_two_options_have_one_name(self):
        groups = [Reading, Windowing, *filter(None, map(PRODUCTS.options, PRODUCTS.names))]
        names = [name for group in groups for name in options_of(group)]
        names += [*LAYERS.names, *PRODUCTS.names]
        assert len(set(names)) == len(names)
