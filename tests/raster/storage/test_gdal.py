"""GDAL and PROJ settings of the library, whatever the environment sets."""

import errno
import os
import subprocess
import sys

import pytest
from rasterio._env import PROJDataFinder

from geosrseg.raster.storage.gdal import _layout, cause

MAP = (
    "from rasterio.crs import CRS; import rasterio.warp; import geosrseg.raster.storage.gdal as g;"
    "g.check_proj(); print(rasterio.warp.transform('EPSG:32636', 'EPSG:4326', [500000], [0])[0])"
)


@pytest.mark.skipif(not PROJDataFinder().search_wheel(), reason="rasterio has no PROJ data")
@pytest.mark.parametrize("variable", ["PROJ_DATA", "PROJ_LIB"])
def test_proj_data_of_another_installation_are_not_read(tmp_path, variable):
    done = subprocess.run(
        [sys.executable, "-c", MAP],
        env={**os.environ, variable: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("[33.0")


def test_the_layout_of_a_proj_database(tmp_path):
    assert _layout(str(tmp_path)) == (0, 0)
    (tmp_path / "proj.db").write_bytes(b"no database")
    assert _layout(str(tmp_path)) == (0, 0)
    if own := PROJDataFinder().search_wheel():
        assert _layout(f"{tmp_path}{os.pathsep}{own}") > (0, 0)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "device: is the disk full?"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system"),
        (RuntimeError("Write error at scanline 0"), "scanline 0: is the disk full?"),
        (RuntimeError("NULL pointer error"), "NULL pointer error"),
    ],
)
def test_a_full_disk_is_only_named_where_it_may_be_one(tmp_path, error, text):
    assert cause(error, tmp_path).endswith(text)
    assert ("disk" in cause(error, tmp_path)) == ("disk" in text)


def test_what_the_system_says_of_a_write_is_asked_where_gdal_does_not_pass_it_on(tmp_path):
    gone = tmp_path / "gone"
    found = cause(RuntimeError("Write error at scanline 0"), gone)
    assert found == "Write error at scanline 0, No such file or directory"
