"""Copies the pages of the repository into one folder for the site, and adapts their links."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPOSITORY = "https://github.com/geosrseg/geosrseg/blob/main"
OTHER_PAGES = ("CHANGELOG.md", "SECURITY.md", "weights/README.md", "weights/CHANGELOG.md")
FILES = ("figures/*", "demo/*", "datasets/*.toml")
LINK = re.compile(r"(\]\(|(?:href|src)=\")([^)#\s\"]+)")


def gather(folder: Path) -> None:
    """Copy every page, and the files that pages show, into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for source in sources():
        page = folder / place(source)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(relinked(source), encoding="utf-8")
    for pattern in FILES:
        for source in (ROOT / "docs").glob(pattern):
            target = folder / place(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    shutil.copytree(ROOT / "docs" / "site" / "assets", folder / "assets")


def sources() -> Iterator[Path]:
    """Yield the pages of the repository."""
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from (ROOT / page for page in OTHER_PAGES)


def place(source: Path) -> Path:
    """Return the path in the site of a file of the repository."""
    path = source.relative_to(ROOT)
    return path.relative_to("docs") if path.parts[0] == "docs" else path


def relinked(source: Path) -> str:
    """Return the text of a page, with links that work in the site."""
    in_site = {*sources(), *(file for pattern in FILES for file in (ROOT / "docs").glob(pattern))}

    def replaced(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / match[2]))
        if "://" in match[2] or not target.exists():
            return match[0]
        if target in in_site:
            there = os.path.relpath(place(target), place(source).parent)
            return match[1] + Path(there).as_posix()
        return f"{match[1]}{REPOSITORY}/{target.relative_to(ROOT).as_posix()}"

    return LINK.sub(replaced, source.read_text(encoding="utf-8"))
