"""Tests what a stopped run is resumed with, and what it is refused with."""

import numpy as np
import pytest
import rasterio

from geosrseg.errors import OutputError, SceneError, SceneWarning
from geosrseg.mapping.predict import predict
from geosrseg.runtime.devices.devices import find_device
from tests.mapping.test_predict import read_map, write_scene

STRIPS = {"window_size": 32, "overlap": 0, "scale": 1e-4, "device": "cpu"}
"""Four windows, one to a strip."""

SIDECAR = (
    "<PAMDataset>{metadata}"
    + "".join(
        f'<PAMRasterBand band="{band}"><NoDataValue>{{nodata}}</NoDataValue></PAMRasterBand>'
        for band in (1, 2, 3)
    )
    + "</PAMDataset>"
)


@pytest.fixture
def scene(tmp_path):
    values = np.random.default_rng(0).integers(500, 9500, (3, 120, 30)).astype(np.int16)
    values[:, :, :7] = -999
    blocks = {"tiled": True, "blockxsize": 16, "blockysize": 16, "interleave": "pixel"}
    path = write_scene(tmp_path / "scene.tif", values, compress="lzw", **blocks)
    add_sidecar(path)
    add_mask(path)
    return path


def add_sidecar(scene, *, nodata=-999, metadata=""):
    scene.with_name("scene.tif.aux.xml").write_text(
        SIDECAR.format(nodata=nodata, metadata=metadata)
    )


def add_mask(scene, *, masked=0):
    mask = np.full((120, 30), 255, np.uint8)
    mask[:, 20 : 20 + masked] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(scene, "r+") as file:
        file.write_mask(mask)


def damage(scene, row):
    """Damage the first block of a row of blocks."""
    with rasterio.open(scene) as dataset:
        place = int(dataset.get_tag_item(f"BLOCK_OFFSET_0_{row}", "TIFF", bidx=1))
    content = bytearray(scene.read_bytes())
    content[place : place + 40] = bytes(40)
    scene.write_bytes(content)


def stop(scene, out, *, after=3, **options):
    """Make a run stop after some windows."""

    def interrupt(progress):
        if progress.windows_done == after and progress.phase == "network":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(scene, out, on_progress=interrupt, **{**STRIPS, **options})


CHANGES = {
    "mask": (lambda scene: add_mask(scene, masked=5), r"used scene scene\.tif"),
    "nodata": (lambda scene: add_sidecar(scene, nodata=-998), r"nodata .*-999\.0.* -998\.0"),
}


@pytest.mark.filterwarnings("ignore::geosrseg.SceneWarning")
@pytest.mark.parametrize("name", CHANGES)
def test_not_with_what_another_companion_says(tmp_path, tiny_model, scene, name):
    change, message = CHANGES[name]
    out, model = tmp_path / "out.tif", tiny_model()
    stop(scene, out, model=model)
    change(scene)
    with pytest.raises(OutputError, match=f"a stopped run .*{message}.*`overwrite=True`"):
        predict(scene, out, model=model, **STRIPS)


def test_with_statistics_that_a_program_added_beside_the_scene(tmp_path, tiny_model, scene):
    out, model = tmp_path / "out.tif", tiny_model()
    stop(scene, out, model=model)
    add_sidecar(scene, metadata='<Metadata><MDI key="STATISTICS_MEAN">5</MDI></Metadata>')
    assert predict(scene, out, model=model, **STRIPS).resumed == 2


def test_a_mask_that_changes_while_the_scene_is_read_gives_no_map(tmp_path, tiny_model, scene):
    def change(progress):
        if progress.windows_done == 1:
            add_mask(scene, masked=3)

    out = tmp_path / "out.tif"
    with pytest.raises(SceneError, match="changed while it was read"):
        predict(scene, out, model=tiny_model(), on_progress=change, **STRIPS)
    assert not out.exists()


@pytest.mark.filterwarnings("ignore::geosrseg.SceneWarning")
def test_what_was_left_out_is_not_published_unasked(tmp_path, tiny_model, scene):
    damage(scene, row=1)
    out, model = tmp_path / "out.tif", tiny_model()
    whole = predict(scene, tmp_path / "whole.tif", model=model, skip_bad_blocks=True, **STRIPS)
    stop(scene, out, model=model, skip_bad_blocks=True)
    with pytest.raises(
        OutputError, match=r"left out block 1,0 \(.*\) of scene\.tif: repeat `skip_bad_blocks=True`"
    ):
        predict(scene, out, model=model, **STRIPS)
    done = predict(scene, out, model=model, skip_bad_blocks=True, **STRIPS)
    assert (done.resumed, done.bad_blocks) == (2, 1)
    assert done.warnings[-1] == whole.warnings[-1]
    assert "1 damaged block left out" in done.warnings[-1]
    assert np.array_equal(read_map(out), read_map(whole.output))


def test_to_leave_nothing_out_it_begins_anew(tmp_path, tiny_model, scene):
    damage(scene, row=1)
    out, model = tmp_path / "out.tif", tiny_model()
    stop(scene, out, model=model, skip_bad_blocks=True)
    with pytest.raises(SceneError, match="cannot be read, block 1,0 "):
        predict(scene, out, model=model, overwrite=True, **STRIPS)


def test_a_run_that_failed_resumes_with_blocks_left_out(tmp_path, tiny_model, scene):
    damage(scene, row=7)
    out, model = tmp_path / "out.tif", tiny_model()
    with pytest.raises(SceneError, match="cannot be read, block 7,0 "):
        predict(scene, out, model=model, **STRIPS)
    with pytest.warns(SceneWarning, match="1 damaged block left out"):
        done = predict(scene, out, model=model, skip_bad_blocks=True, **STRIPS)
    assert done.resumed > 0


@pytest.mark.parametrize("option", ["window_size", "max_memory"])
def test_a_window_size_that_options_decided_is_not_kept(tmp_path, tiny_model, scene, option):
    out, model = tmp_path / "out.tif", tiny_model()
    value = {"window_size": 32, "max_memory": 2_000_000}[option]
    options = {**STRIPS, "model": model, "window_size": None}
    stop(scene, out, **{**options, option: value})
    with pytest.raises(OutputError, match=r"used .*window size \d+ instead of \d+ by free memory"):
        predict(scene, out, **options)
    done = predict(scene, out, overwrite=True, **options)
    assert (done.resumed, done.windows) == (0, 1)


def test_a_window_size_that_memory_decided_is_kept(tmp_path, tiny_model, scene, monkeypatch):
    out = tmp_path / "out.tif"
    options = {**STRIPS, "model": tiny_model(), "window_size": None}
    monkeypatch.setattr(find_device("cpu"), "free_memory", lambda: 4_000_000)
    stop(scene, out, **options)
    monkeypatch.undo()
    done = predict(scene, out, **options)
    assert done.resumed == 2
