"""What a user installs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_holds_the_models_and_all_that_the_code_reads(tmp_path):
    """It is unpacked and verifies its own models, far from the source tree."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    wanted = {
        "weights/SHA256SUMS",
        "weights/landcover-3x.onnx",
        "products/glyphs.png",
        "products/page/page.js",
        "py.typed",
    }
    assert {f"geosrseg/{name}" for name in wanted} <= names
    assert not [name for name in names if name.startswith("tests")]
    verify = "from geosrseg.runtime.shipped_models import verify_models as v; print(v()[0].path)"
    done = subprocess.run(
        [sys.executable, "-c", verify],
        cwd=tmp_path / "site",
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)
