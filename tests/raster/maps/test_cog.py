import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rio_cogeo import cog_validate

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps import cog as cog_module
from geosrseg.raster.maps.cog import STALE, CogProfile, check_cog, write_cog
from geosrseg.raster.maps.pam import pam_path
from geosrseg.raster.storage.publication import open_drafts, publish
from tests.raster.conftest import NORTH_UP, UTM

# rasterio 1.4 multiplies transforms as affine 3 would rather not have it.


def profile_of(grid, legend, **changes):
    """Profile of a class map."""
    values = {"bands": ("class",), "dtype": "uint8", "nodata": 255, "overviews": Resampling.mode}
    return CogProfile(grid=grid, legend=legend, **{**values, **changes})


def write(path, rows, profile, *, chunk=100, overwrite=False):
    """Check, write and publish, as `predict` does."""
    check_cog(path, overwrite=overwrite)
    chunks = (rows[:, top : top + chunk] for top in range(0, rows.shape[1], chunk))
    with open_drafts(path) as folder:
        publish(write_cog(folder, path, profile, chunks), path, stale=STALE)


def category_names(path: Path) -> list[str]:
    root = ElementTree.parse(pam_path(path)).getroot()
    return [item.text or "" for item in root.findall("PAMRasterBand[@band='1']/CategoryNames/*")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An output alone in a folder, to see what is left there."""
    folder = tmp_path / "maps"
    folder.mkdir()
    return folder / "map.tif"


class TestClassMap:
    def test_everything_that_a_gis_shows(self, path, grid, legend, labels):
        profile = profile_of(grid, legend, tags={"GEOSRSEG_MODEL": "kafa 1.0"})
        write(path, labels[None], profile)

        assert cog_validate(path, strict=True) == (True, [], [])
        with rasterio.open(path) as dataset:
            assert np.array_equal(dataset.read(1), labels)
            assert (dataset.crs, dataset.transform) == (grid.crs, grid.transform)
            assert tuple(dataset.bounds) == grid.bounds
            assert dataset.dtypes == ("uint8",)
            assert dataset.nodata == 255
            assert dataset.descriptions == ("class",)
            assert dataset.colorinterp == (ColorInterp.palette,)
            assert dataset.block_shapes == [(512, 512)]
            assert dataset.tags()["GEOSRSEG_MODEL"] == "kafa 1.0"
            assert dataset.tags()["AREA_OR_POINT"] == "Area"
            colours = dataset.colormap(1)
        assert all(colours[item.id] == (*item.rgb, 255) for item in legend.classes)
        assert category_names(path) == ["", "cropland", "bamboo & <reed>", "", "", "café"]
        assert sorted(p.name for p in path.parent.iterdir()) == ["map.tif", "map.tif.aux.xml"]

    def test_gdal_reads_the_class_names(self, path, grid, legend, labels):
        if shutil.which("gdalinfo") is None:
            pytest.skip("gdalinfo is not installed")
        write(path, labels[None], profile_of(grid, legend))
        report = subprocess.run(
            ["gdalinfo", path], capture_output=True, text=True, check=True, encoding="utf-8"
        ).stdout
        assert "1: cropland" in report
        assert "5: café" in report

    def test_overviews_hold_classes_only(self, path, grid, legend, labels):
        write(path, labels[None], profile_of(grid, legend))
        with rasterio.open(path) as dataset:
            levels = len(dataset.overviews(1))
        assert levels > 0
        for level in range(levels):
            with rasterio.open(path, overview_level=level) as dataset:
                assert set(np.unique(dataset.read(1))) <= {*legend.ids, 255}

    @pytest.mark.parametrize("chunk", [1, 37, 512, 513, 2000])
    def test_rows_come_in_any_number(self, path, legend, chunk):
        labels = np.random.default_rng(3).choice(np.array([1, 2, 5, 255], np.uint8), (1030, 40))
        write(path, labels[None], profile_of(Grid(UTM, NORTH_UP, 1030, 40), legend), chunk=chunk)
        with rasterio.open(path) as dataset:
            assert np.array_equal(dataset.read(1), labels)

    @pytest.mark.parametrize("shape", [(4, 4), (1, 1), (1, 1300), (1300, 4), (512, 512)])
    def test_odd_sizes_are_valid_cogs_too(self, path, legend, shape):
        labels = np.full(shape, 2, np.uint8)
        write(path, labels[None], profile_of(Grid(UTM, NORTH_UP, *shape), legend))
        assert cog_validate(path, strict=True) == (True, [], [])
        with rasterio.open(path) as dataset:
            assert np.array_equal(dataset.read(1), labels)

    @pytest.mark.parametrize(
        ("crs", "transform"),
        [
            (None, Affine.identity()),
            (None, NORTH_UP),
            (UTM, NORTH_UP @ Affine.rotation(20)),
            (UTM, Affine(30, 0, 800_000, 0, 30, 850_000)),
            (rasterio.crs.CRS.from_epsg(4326), Affine(0.01, 0, 36, 0, -0.01, 7.5)),
        ],
        ids=["nothing", "no-crs", "rotated", "south-up", "geographic"],
    )
    @pytest.mark.parametrize("factor", [1, 4])
    def test_any_georeference_is_kept(self, path, legend, crs, transform, factor):
        grid = Grid(crs, transform, 10, 12).refined(factor)
        write(path, np.full((grid.height, grid.width), 1, np.uint8)[None], profile_of(grid, legend))
        with cog_module.unreferenced_allowed(), rasterio.open(path) as dataset:
            assert dataset.crs == crs
            assert dataset.transform.almost_equals(grid.transform)

    @pytest.mark.parametrize("name", ["a map.TIFF", "a!b?c#d.tif", "карта.tif", "-o.tif"])
    def test_odd_names(self, path, legend, name):
        path = path.with_name(name)
        write(
            path, np.full((4, 4), 1, np.uint8)[None], profile_of(Grid(UTM, NORTH_UP, 4, 4), legend)
        )
        assert {p.name for p in path.parent.iterdir()} == {name, f"{name}.aux.xml"}

    def test_an_old_map_is_replaced_with_all_that_belonged_to_it(self, path, grid, legend, labels):
        write(path, labels[None], profile_of(grid, legend))
        for suffix in (".ovr", ".msk"):
            path.with_name(path.name + suffix).write_bytes(b"of the old map")
        other = Legend((LegendClass(0, "water", "#0000ff"),))
        write(path, np.zeros_like(labels)[None], profile_of(grid, other), overwrite=True)
        with rasterio.open(path) as dataset:
            assert not dataset.read(1).any()
        assert category_names(path) == ["water"]
        assert len(list(path.parent.iterdir())) == 2


class TestRefused:
    """Before any work is done."""

    def refused(self, path, **options) -> str:
        with pytest.raises(OutputError) as caught:
            check_cog(path, **{"overwrite": False} | options)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_existing_map(self, path, grid, legend, labels):
        write(path, labels[None], profile_of(grid, legend))
        before = path.read_bytes()
        assert "`overwrite=True`" in self.refused(path)
        assert path.read_bytes() == before

    def test_existing_file_of_another_kind(self, path):
        path.write_text("my notes")
        assert "is not a TIFF" in self.refused(path, overwrite=True)
        assert path.read_text() == "my notes"

    def test_other_suffix(self, path):
        assert "ends in .tif" in self.refused(path.with_suffix(".png"))

    def test_folder(self, path):
        path.mkdir()
        assert "is a folder" in self.refused(path, overwrite=True)

    def test_no_such_folder(self, path):
        assert "make it first" in self.refused(path.parent / "none" / "map.tif")

    def test_a_file_in_place_of_the_folder(self, path):
        path.write_text("")
        assert "is not a folder" in self.refused(path / "map.tif")


class TestFailure:
    """Nothing is left behind, and an old map stays as it was."""

    @pytest.fixture(params=["new", "replaced"])
    def target(self, request, path, grid, legend, labels):
        if request.param == "replaced":
            write(path, labels[None], profile_of(grid, legend))
        before = {p: p.read_bytes() for p in path.parent.iterdir()}
        yield path
        assert {p: p.read_bytes() for p in path.parent.iterdir()} == before

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    def test_an_error_of_the_rows_passes_through(self, target, grid, legend, labels, error):
        def rows():
            yield labels[None, :600]
            raise error("mine")

        with pytest.raises(error, match="mine"), open_drafts(target) as folder:
            write_cog(folder, target, profile_of(grid, legend), rows())

    def test_missing_rows(self, target, grid, legend, labels):
        with pytest.raises(ValueError, match="700 rows were written, expected 701"):
            write(target, labels[:-1][None], profile_of(grid, legend), overwrite=True)

    @pytest.mark.parametrize(
        "wrong",
        [
            np.zeros((1, 1333), np.uint8),
            np.ones((1, 1332), np.uint8),
            np.ones((1, 1333), np.int64),
            np.ones((702, 1333), np.uint8),
        ],
        ids=["class", "width", "dtype", "rows"],
    )
    def test_rows_that_do_not_fit_are_the_callers_mistake(self, target, grid, legend, wrong):
        with pytest.raises(ValueError, match=r"rows are|pixels must|rows were written"):
            write(target, wrong[None], profile_of(grid, legend), chunk=1000, overwrite=True)

    @pytest.mark.parametrize("damage", ["values", "grid", "overviews", "truncated"])
    def test_a_damaged_file_is_found_by_reading_it(
        self, target, grid, legend, labels, damage, monkeypatch
    ):
        copy = cog_module.rasterio.shutil.copy

        def damaged_copy(draft, cog, **profile):
            if damage == "values":
                with rasterio.open(draft, "r+") as dataset:
                    dataset.write(255 - dataset.read(1), 1)
            if damage == "grid":
                with rasterio.open(draft, "r+") as dataset:
                    dataset.transform = Affine.translation(3, 4)
            if damage == "overviews":  # averages of ids, for want of colours
                with rasterio.open(draft) as dataset:
                    plain = {**dataset.profile, "nodata": None}
                    rows = dataset.read()
                draft = cog.with_name("plain.tif")
                with rasterio.open(draft, "w", **plain) as dataset:
                    dataset.write(rows)
                    dataset.build_overviews([2], Resampling.average)
            copy(draft, cog, **profile)
            if damage == "truncated":
                os.truncate(cog, cog.stat().st_size - 800)

        monkeypatch.setattr(cog_module.rasterio.shutil, "copy", damaged_copy)
        with pytest.raises(OutputError, match=r"not what was written|cannot be written") as caught:
            write(target, labels[None], profile_of(grid, legend), overwrite=True)
        assert str(caught.value).startswith(str(target))

    def test_a_rename_that_fails(self, target, grid, legend, labels, monkeypatch):
        def locked(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "replace", locked)
        with pytest.raises(OutputError, match="Permission denied"):
            write(target, labels[None], profile_of(grid, legend), overwrite=True)

    @pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX's")
    @pytest.mark.parametrize("limit", [100, 5_000, 50_000, 150_000])
    def test_a_full_disk_is_not_silent(self, path, limit):
        script = textwrap.dedent(
            f"""
            import resource
            from pathlib import Path
            import numpy as np
            from affine import Affine
            from rasterio.enums import Resampling
            from geosrseg.core.legend import Legend, LegendClass
            from geosrseg.errors import OutputError
            from geosrseg.raster.maps.cog import CogProfile, write_cog
            from geosrseg.raster.files.grid import Grid
            from geosrseg.raster.storage.publication import open_drafts, publish

            labels = np.random.default_rng(0).integers(0, 5, (1, 700, 900)).astype(np.uint8)
            profile = CogProfile(
                grid=Grid(None, Affine(30, 0, 0, 0, -30, 0), 700, 900),
                bands=("class",),
                dtype="uint8",
                nodata=255,
                overviews=Resampling.mode,
                legend=Legend(tuple(LegendClass(k, str(k), "#123456") for k in range(5))),
            )
            path = Path({str(path)!r})
            resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
            try:
                with open_drafts(path) as folder:
                    publish(write_cog(folder, path, profile, [labels]), path)
            except OutputError as error:
                print(error)
            """
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(path))
        assert done.stdout.count("\n") == 1
        assert list(path.parent.iterdir()) == []
