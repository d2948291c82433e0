"""The page in a browser: swipe, zoom, legend, keys, a phone's width.

Needs Chromium with its driver (Debian: chromium, chromium-driver) and selenium.
"""

import shutil
from itertools import product

import numpy as np
import pytest

from geosrseg.products.areas import AreaCounter
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.page.map_page import write_page
from geosrseg.raster.scene import open_scene
from tests.raster.conftest import BANDS
from tests.tiny_maps import write_class_map

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
KEYS = webdriver.Keys
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    BROWSER is None or DRIVER is None, reason="there is no chromium or no chromedriver"
)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)

CROP, BAMBOO = [0xE8, 0xC8, 0x68], [0x9B, 0xC5, 0x3D]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(DRIVER)
    with webdriver.Chrome(options=options, service=service) as driver:
        driver.set_script_timeout(30)
        yield driver


@pytest.fixture
def labels():
    """Four fields: cropland and bamboo above, bamboo and nodata below."""
    values = np.array([[1, 2], [2, 255]], np.uint8)
    return values.repeat(320, axis=0).repeat(400, axis=1)


@pytest.fixture
def page(browser, tmp_path, write_scene, legend, labels):
    """Open the page of `labels` over a grey scene, in a window of some size."""

    def open_page(width=1000, height=800, *, alone=False):
        height_lr, width_lr = labels.shape[0] // 4, labels.shape[1] // 4
        numbers = np.full((3, height_lr, width_lr), 0.3, np.float32)
        numbers[:, 0, 0], numbers[:, 0, 1] = 0.0, 0.6
        path = tmp_path / "page.html"
        with open_scene(write_scene(numbers), model_bands=BANDS) as scene:
            grid = scene.grid.refined(4)
            class_map = write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend)
            counter = AreaCounter(legend, pixel_areas(grid))
            counter.add(labels, 0)
            write_page(
                path,
                scene=None if alone else scene,
                class_map_path=class_map,
                legend=legend,
                areas=counter.areas(),
                facts=[("Model", "tiny 1")],
                overwrite=True,
            )
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(path.as_uri())
        settle(browser)
        return browser

    return open_page


def settle(browser):
    """Wait until every visible tile is decoded and drawn."""
    browser.execute_async_script(
        """
        const done = arguments[0];
        const look = () => {
          draw();
          const ready = ["scene", "map"].every((kind) =>
            !data[kind].length ||
            inSight(kind, levelFor(data[kind])).every((part) => part.picture));
          ready ? (draw(), done()) : setTimeout(look, 20);
        };
        look();
        """
    )


def colour_at(browser, across, down):
    """The canvas's colour at shares of the class map's width and height."""
    settle(browser)
    return browser.execute_script(
        """
        const scale = view.zoom * devicePixelRatio;
        const x = (arguments[0] * data.width - view.x) * scale + canvas.width / 2;
        const y = (arguments[1] * data.height - view.y) * scale + canvas.height / 2;
        return [...pen.getImageData(x, y, 1, 1).data].slice(0, 3);
        """,
        across,
        down,
    )


def is_scene(colour):
    return colour not in (CROP, BAMBOO) and max(colour) - min(colour) < 12


def view_of(browser):
    return browser.execute_script("return {...view}")


def keys(browser, element, *names):
    browser.find_element("id", element).send_keys(*names)


def test_the_swipe_parts_scene_and_map(page):
    browser = page()
    assert is_scene(colour_at(browser, 0.25, 0.25))
    assert colour_at(browser, 0.75, 0.25) == BAMBOO
    keys(browser, "swipe", KEYS.HOME)
    assert colour_at(browser, 0.25, 0.25) == CROP
    keys(browser, "swipe", KEYS.END)
    assert is_scene(colour_at(browser, 0.75, 0.25))


def test_a_map_without_a_scene_fills_the_picture(page):
    browser = page(alone=True)
    assert not browser.find_element("id", "swipe").is_displayed()
    assert not browser.find_element("css selector", ".tag.left").is_displayed()
    assert colour_at(browser, 0.02, 0.25) == CROP
    assert colour_at(browser, 0.75, 0.25) == BAMBOO
    keys(browser, "view", "+", KEYS.ARROW_LEFT)
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_arrow_keys_move_the_swipe_and_say_so(page):
    browser = page()
    keys(browser, "swipe", KEYS.ARROW_RIGHT * 3, KEYS.ARROW_LEFT)
    slider = browser.find_element("id", "swipe")
    assert slider.aria_role == "slider"
    assert slider.get_attribute("aria-valuenow") == "54"
    assert slider.get_attribute("aria-valuetext") == "54 % scene, 46 % class map"


def test_the_swipe_is_dragged(page):
    browser = page()
    slider = browser.find_element("id", "swipe")
    width = browser.find_element("id", "view").rect["width"]
    drag = webdriver.ActionChains(browser, duration=20)
    drag.drag_and_drop_by_offset(slider, round(-0.4 * width), 5).perform()
    assert view_of(browser)["swipe"] == pytest.approx(0.1, abs=0.01)
    assert colour_at(browser, 0.25, 0.25) == CROP


def test_a_class_that_is_switched_off_shows_the_scene(page):
    browser = page()
    keys(browser, "swipe", KEYS.HOME)
    box = browser.find_element("css selector", "input[value='2']")
    assert box.accessible_name.startswith("bamboo")
    box.send_keys(KEYS.SPACE)
    assert colour_at(browser, 0.25, 0.25) == CROP
    assert is_scene(colour_at(browser, 0.75, 0.25))
    box.click()
    assert colour_at(browser, 0.75, 0.25) == BAMBOO


def test_nodata_shows_the_scene(page):
    browser = page()
    keys(browser, "swipe", KEYS.HOME)
    assert is_scene(colour_at(browser, 0.75, 0.75))


def test_keys_buttons_and_wheel_zoom(page):
    browser = page()
    before = view_of(browser)["zoom"]
    keys(browser, "view", "+")
    assert view_of(browser)["zoom"] == pytest.approx(1.5 * before)
    keys(browser, "swipe", "-")
    assert view_of(browser)["zoom"] == pytest.approx(before)
    browser.find_element("id", "in").click()
    assert view_of(browser)["zoom"] == pytest.approx(1.5 * before)
    canvas = browser.find_element("id", "view")
    origin = webdriver.common.actions.wheel_input.ScrollOrigin.from_element(canvas, 100, 50)
    webdriver.ActionChains(browser).scroll_from_origin(origin, 0, -300).perform()
    assert view_of(browser)["zoom"] > 2 * before
    keys(browser, "view", "0")
    assert view_of(browser)["zoom"] == pytest.approx(before)


def test_the_map_is_dragged_and_moved_by_keys(page):
    browser = page()
    keys(browser, "view", "+" * 4)
    canvas, before = browser.find_element("id", "view"), view_of(browser)
    drag = webdriver.ActionChains(browser, duration=20).move_to_element_with_offset(canvas, -200, 0)
    drag.click_and_hold().move_by_offset(-60, 40).release().perform()
    after = view_of(browser)
    assert after["x"] - before["x"] == pytest.approx(60 / before["zoom"])
    assert after["y"] - before["y"] == pytest.approx(-40 / before["zoom"])
    keys(browser, "view", KEYS.ARROW_LEFT)
    assert view_of(browser)["x"] == pytest.approx(after["x"] - 60 / before["zoom"])


def test_the_finest_level_is_the_class_map(page, labels):
    """Decoded by the page's own script, tile by tile."""
    browser = page()
    found = np.zeros_like(labels)
    places = product(range(0, labels.shape[0], 512), range(0, labels.shape[1], 512))
    for number, (row, col) in enumerate(places):
        values = browser.execute_async_script(
            "const done = arguments[1];"
            "decodeLabels(data.map.at(-1).tiles[arguments[0]]).then((x) => done([...x.labels]));",
            number,
        )
        part = found[row : row + 512, col : col + 512]
        part[:] = np.array(values, np.uint8).reshape(part.shape)
    assert np.array_equal(found, labels)


def test_pixels_lie_where_they_belong_at_any_zoom(page, labels):
    browser = page()
    keys(browser, "swipe", KEYS.HOME)
    for _ in range(9):
        keys(browser, "view", "+")
        for across, down in [(0.499, 0.499), (0.501, 0.499), (0.499, 0.501)]:
            value = labels[int(down * labels.shape[0]), int(across * labels.shape[1])]
            assert colour_at(browser, across, down) == (CROP if value == 1 else BAMBOO)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(page, width):
    browser = page(width, 740)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    for button in browser.find_elements("css selector", ".buttons button"):
        assert button.rect["width"] >= 44
        assert button.accessible_name


def test_light_and_dark(page):
    browser, papers = page(), []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        script = "return getComputedStyle(document.body).backgroundColor"
        papers.append(browser.execute_script(script))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    light, dark = (sum(map(int, paper[4:-1].split(","))) for paper in papers)
    assert light > 700
    assert dark < 100


def test_the_browser_has_nothing_to_complain_about(page):
    browser = page()
    browser.get_log("browser")
    keys(browser, "view", "+++")
    keys(browser, "swipe", KEYS.ARROW_LEFT)
    settle(browser)
    assert browser.get_log("browser") == []
