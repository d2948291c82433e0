"""The site: complete, without dead links, and without anything from another server."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from docs.site.pages import ROOT, place, sources

pytest.importorskip("zensical", reason="the extra site is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]


class Links(HTMLParser):
    """What a page names and where it can be linked to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        address = values.get("href") or values.get("src")
        if address:
            self.links.append(address)
            if tag != "a":
                self.loaded.append(address)


@pytest.fixture(scope="session")
def pages(site):
    return {page: Links(page) for page in site.rglob("*.html") if page.name != "404.html"}


def test_every_link_and_anchor_leads_somewhere(site, pages):
    dead = []
    for page, links in pages.items():
        for link in links.links:
            address, anchor = urldefrag(link)
            if re.match(r"[a-z]+:", address):
                continue
            target = (page.parent / unquote(address)).resolve() if address else page
            if not target.exists() or (anchor and anchor not in pages[target].anchors):
                dead.append(f"{page.relative_to(site)}: {link}")
    assert not dead


def test_no_page_needs_another_server(pages):
    found = {address for links in pages.values() for address in links.loaded}
    assert not [address for address in found if address.startswith(("http", "//"))]


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:")[1]
    listed = set(re.findall(r": (\S+\.md)$", navigation, re.MULTILINE))
    assert listed == {*(place(page).as_posix() for page in sources()), "api.md"}


def test_the_reference_has_every_public_name(site):
    import geosrseg

    anchors = Links(site / "api.html").anchors
    ends = {anchor.rsplit(".", 1)[-1] for anchor in anchors}
    assert set(geosrseg.__all__) <= ends
