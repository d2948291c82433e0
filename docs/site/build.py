"""Builds the site into build/site: `make site`.

First runs the tutorials with the default model: their pages show the files that they make.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from docs.site import pictures, tutorial
from docs.site.pages import ROOT, gather
from docs.site.reference import reference
from geosrseg.raster.maps.class_map import open_class_map

BUILD = ROOT / "build"
DEMO = ROOT / "docs" / "demo"
LEGEND = "<!-- legend -->"
"""Placeholder in a page for the classes of the default model."""

MADE = (".png", ".html")
"""Suffixes of files that a tutorial makes and its page shows."""


def build(*, ran: Path | None = None) -> Path:
    """Build the site.

    Args:
        ran: a folder with a finished run of each tutorial; None runs them here.

    Returns:
        Folder of the site.
    """
    pages = BUILD / "site-pages"
    gather(pages)
    if ran is None:
        ran = run_tutorials(BUILD / "site-tutorials")
    add_made(pages, ran)
    (pages / "api.md").write_text(reference(), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    subprocess.run(command, check=True, cwd=ROOT)
    return BUILD / "site"


def run_tutorials(folder: Path) -> Path:
    """Run every tutorial in its own folder below `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in tutorial.names():
        tutorial.run(name, tutorial.start(name, folder))
    return folder


def add_made(pages: Path, ran: Path) -> None:
    """Put the files that tutorials made beside the pages that show them."""
    first = ran / tutorial.FIRST / "liverpool_classes.tif"
    pictures.draw_scene(DEMO / "liverpool.tif", pages / "start-scene.png")
    pictures.draw_map(first, pages / "start-map.png")
    for name, over in (("areas", "districts.geojson"), ("assess", "reference.geojson")):
        output = pages / "tutorials" / f"{name}-map.png"
        pictures.draw_map(first, output, over=DEMO / over)
    legend = open_class_map(first).legend
    for page in (pages / "index.md", pages / "gallery.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(LEGEND, pictures.draw_legend(legend)), encoding="utf-8")
    for made in sorted(ran.glob("*/*")):
        if made.suffix in MADE:
            shutil.copyfile(made, pages / "tutorials" / made.name)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(build() / "index.html")
