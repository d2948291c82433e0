"""The Dockerfile's steps, as far as they go without Docker."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from geosrseg.cli.main import main

ROOT = Path(__file__).parents[1]
TEXT = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def words(instruction: str) -> list[list[str]]:
    return [line.split() for line in re.findall(rf"^{instruction} (.+)$", TEXT, re.MULTILINE)]


def copies() -> list[tuple[str, str]]:
    """Source and folder of each file or folder that the image gets from here."""
    return [(source, target) for *sources, target in words("COPY") for source in sources]


def test_all_that_is_copied_is_there_and_not_ignored():
    assert all((ROOT / source).exists() for source, _ in copies())
    assert {f"!{source}" for source, _ in copies()} <= set(IGNORED)


@pytest.mark.slow
def test_the_wheel_is_made_of_what_is_copied(tmp_path):
    sources = tmp_path / "sources"
    for source, target in copies():
        if target.startswith("/"):
            continue
        there = sources / source
        there.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / source, there)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(tmp_path), str(sources)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("geosrseg-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "geosrseg/weights/landcover-3x.onnx" in archive.namelist()


def test_the_image_runs_the_demo(tmp_path, monkeypatch):
    """The default command, with the scene where the image has it taken from here."""
    (folder,) = (target for source, target in copies() if target.startswith("/"))
    (line,) = re.findall(r"^CMD (.+)$", TEXT, re.MULTILINE)
    demo = str(ROOT / "docs" / "demo") + "/"
    monkeypatch.chdir(tmp_path)
    main([word.replace(folder, demo) for word in json.loads(line)], standalone_mode=False)
    assert (tmp_path / "liverpool_classes.tif").is_file()
    assert (tmp_path / "liverpool.png").is_file()
