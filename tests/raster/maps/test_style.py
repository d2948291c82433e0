from pathlib import Path
from xml.etree import ElementTree

import pytest

from geosrseg.errors import OutputError
from geosrseg.raster.maps.style import style_paths, write_styles


def read(path):
    return ElementTree.parse(path).getroot()


def test_both_styles_stand_beside_the_map(tmp_path, legend):
    write_styles(tmp_path / "map.tif", legend)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.qml", "map.sld"]


def test_qgis_gets_every_class_with_its_colour_and_name(tmp_path, legend):
    write_styles(tmp_path / "map.tif", legend)
    renderer = read(tmp_path / "map.qml").find("pipe/rasterrenderer")
    assert (renderer.get("type"), renderer.get("band")) == ("paletted", "1")
    entries = [
        (entry.get("value"), entry.get("label"), entry.get("color"), entry.get("alpha"))
        for entry in renderer.iter("paletteEntry")
    ]
    assert entries == [(str(c.id), c.name, c.colour, "255") for c in legend.classes]


def test_a_map_server_gets_every_class_with_its_colour_and_name(tmp_path, legend):
    write_styles(tmp_path / "map.tif", legend)
    (colours,) = read(tmp_path / "map.sld").iter("{http://www.opengis.net/sld}ColorMap")
    assert colours.get("type") == "values"
    entries = [(e.get("quantity"), e.get("label"), e.get("color")) for e in colours]
    assert entries == [(str(c.id), c.name, c.colour) for c in legend.classes]


def test_a_style_of_the_users_own_stays(tmp_path, legend):
    own = tmp_path / "map.qml"
    own.write_text("mine")
    with pytest.raises(OutputError, match="`overwrite=True`"):
        write_styles(tmp_path / "map.tif", legend)
    assert own.read_text() == "mine"
    assert not (tmp_path / "map.sld").exists()
    write_styles(tmp_path / "map.tif", legend, overwrite=True)
    assert "mine" not in own.read_text()


def test_their_names_are_the_maps():
    assert style_paths(Path("a/b.c.tif")) == (Path("a/b.c.qml"), Path("a/b.c.sld"))
