"""The built site in a browser, opened as files: both widths, the keyboard alone, and axe.

Needs Chromium with its driver (Debian: chromium, chromium-driver), selenium and the extra site.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.products.page import test_map_page_live as live

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
wait = pytest.importorskip("selenium.webdriver.support.wait")
KEYS = webdriver.Keys
browser = live.browser

pytestmark = [
    live.pytestmark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]

PAGES = (
    "index.html",
    "tutorials/assess.html",
    "gallery.html",
    "troubleshooting.html",
    "glossary.html",
    "cli.html",
    "api.html",
    "maps.html",
)
KINDS = ("index.html", "tutorials/assess.html", "troubleshooting.html", "maps.html")
"""One page of each kind: axe takes seconds for a page."""

SCHEMES = {"light": "default", "dark": "slate"}
WIDTHS = {1280: 800, 390: 844}


@pytest.fixture
def show(browser, site):
    """Open a page of the site in a window of some width."""

    def show(name, width=1280, scheme="light"):
        size = {"width": width, "height": WIDTHS[width], "deviceScaleFactor": 1}
        size["mobile"] = width < 500
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        browser.get((site / name).as_uri())
        if browser.execute_script("return document.body.dataset.mdColorScheme") != SCHEMES[scheme]:
            browser.execute_script("localStorage.clear()")  # which keeps the last one
            browser.refresh()
        return browser

    return show


def until(browser, condition):
    return wait.WebDriverWait(browser, 10).until(condition)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_map_is_in_the_first_screen(show, width):
    browser = show("index.html", width)
    place = browser.find_element("css selector", ".swipe").rect
    assert place["y"] + 0.7 * place["height"] < WIDTHS[width]
    for picture in browser.find_elements("css selector", ".swipe img"):
        assert browser.execute_script("return arguments[0].naturalWidth", picture)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_window_and_nothing_fails(show, name, width):
    browser = show(name, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_nothing(show, name, width, scheme):
    package = find_spec("axe_playwright_python")
    if package is None:
        pytest.skip("axe-playwright-python is not installed")
    browser = show(name, width, scheme)
    assert browser.execute_script("return document.body.dataset.mdColorScheme") == SCHEMES[scheme]
    browser.execute_script(Path(package.origin).with_name("axe.min.js").read_text("utf-8"))
    found = browser.execute_async_script(
        """
        const done = arguments[0];
        const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
        axe.run(document, { runOnly: tags }).then((result) => done(result.violations.map(
          (each) => [each.id, each.nodes.length, each.nodes[0].html.slice(0, 300)])));
        """
    )
    assert not found


def test_the_swipe_is_moved_by_keys(show):
    browser = show("index.html")
    handle = browser.find_element("css selector", ".swipe input")
    handle.send_keys(KEYS.ARROW_RIGHT * 3)
    assert handle.get_attribute("aria-valuetext") == "73 % scene, 27 % map"
    assert handle.accessible_name == "How much of the scene is shown over the map"
    script = "return arguments[0].parentElement.style.getPropertyValue('--scene')"
    assert browser.execute_script(script, handle) == "73%"


def test_the_first_tutorial_is_reached_by_keys_alone(show):
    browser = show("index.html")
    for _ in range(40):
        browser.switch_to.active_element.send_keys(KEYS.TAB)
        if "first map" in browser.switch_to.active_element.text.lower():
            break
    browser.switch_to.active_element.send_keys(KEYS.ENTER)
    until(browser, lambda browser: browser.current_url.endswith("tutorials/first-map.html"))


def test_the_search_works_from_files_by_keys_alone(show):
    browser = show("index.html")
    browser.find_element("css selector", "body").send_keys("/")
    until(browser, lambda browser: found_text(browser))
    webdriver.ActionChains(browser).send_keys("compressed tar").perform()
    until(browser, lambda browser: "The tar is compressed" in found_text(browser))
    webdriver.ActionChains(browser).send_keys(KEYS.ENTER).perform()
    until(browser, lambda browser: "troubleshooting.html" in browser.current_url)


def found_text(browser):
    """What the search shows, in a tree of its own."""
    return browser.execute_script(
        """
        const roots = [...document.body.children].map((each) => each.shadowRoot);
        return roots.filter(Boolean).map((root) => root.textContent).join(" ");
        """
    )
