"""The tutorial on training, as a newcomer follows it, with fewer and smaller steps."""

import re
import shlex
from pathlib import Path

import pytest
import rasterio
from click.testing import CliRunner

from geosrseg.cli.main import main

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial-training.md").read_text(encoding="utf-8")
SHORT = {"--crop": "64", "--chips-per-epoch": "4", "10": "1", "20": "2"}
"""What stands in the place of an option's value, or of a number of epochs."""


def shortened(line):
    words = shlex.split(line)[1:]
    for place, word in enumerate(words[:-1]):
        if word in ("--crop", "--chips-per-epoch"):
            words[place + 1] = SHORT[word]
        if word == "--epochs":
            words[place + 1] = SHORT[words[place + 1]]
    return words


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_tutorial_ends_with_a_map(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/tutorial-training.md", "exec"), {})
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
    ]
    for line in lines:
        done = CliRunner().invoke(main, shortened(line))
        assert done.exit_code == 0, f"{line}\n{done.output}"
        assert "warning" not in done.stderr
        if line.startswith("geosrseg card"):
            card = Path("coast.toml")
            named = card.read_text(encoding="utf-8").replace('"class 1"', '"water"')
            card.write_text(named, encoding="utf-8")
    assert "data:image" in Path("check.html").read_text(encoding="utf-8")
    with rasterio.open("map.tif") as made, rasterio.open("scene.tif") as scene:
        assert made.shape == tuple(2 * side for side in scene.shape)
        assert made.bounds == scene.bounds
    assert Path("map.png").is_file()
    assert Path("report/report.html").is_file()
