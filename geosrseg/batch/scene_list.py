"""Resolves what a user names as scenes: paths, patterns, lists, and results of a STAC search."""

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

from geosrseg.core.text.json_text import parse_json
from geosrseg.errors import SceneWarning, WorkError
from geosrseg.raster.sensors.parts import one_part_each, product_of_part
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.location import Location, without_secrets
from geosrseg.regular_file import create_new, read_regular

LISTS = (".txt", ".lst", ".csv")
"""Suffixes of files with one scene per line."""

MOST_BYTES = 2**28
"""Largest list or search result accepted, in bytes."""

MOST_WORDS = 200_000
"""Most scenes, patterns and lists in one plan."""

DEEPEST = 3
"""Most levels of nested lists and patterns."""


@dataclass(frozen=True, slots=True)
class SceneName:
    """A scene to map.

    Attributes:
        address: absolute path or URL; for `item`, the path of the file to write it to.
        name: name of the map, without suffix.
        item: a STAC item from a search result that has no file yet; else None.
    """

    address: str
    name: str
    item: dict[str, Any] | None = None


def list_scenes(words: Sequence[str], *, items_folder: Path) -> list[SceneName]:
    """Return every scene that the words name, in order.

    Args:
        words: scenes; patterns such as ``scenes/*.tif``; text files with one scene per line; JSON
            files with a STAC ItemCollection or the response of a STAC API search.
        items_folder: folder for the items of a search.

    Raises:
        WorkError: no scene is given, a list cannot be read, or two scenes would have the same map.
    """
    expansion = _Expansion(items_folder, left=MOST_WORDS)
    found = [scene for word in words for scene in expansion.scenes(word)]
    kept = set(one_part_each(scene.address for scene in found if scene.item is None))
    found = [scene for scene in found if scene.item is not None or scene.address in kept]
    if not found:
        raise WorkError(f"{', '.join(map(without_secrets, words))}: names no scene")
    seen: dict[str, SceneName] = {}
    for scene in found:
        other = seen.setdefault(scene.name.casefold(), scene)
        if (other.address, other.item) == (scene.address, scene.item):
            continue
        first, second = Location.of(other.address), Location.of(scene.address)
        pair = f"{first} and {second}" if str(first) != str(second) else f"two scenes {first}"
        raise WorkError(
            f"{pair} would both become {scene.name}.tif: plan them into separate folders, or "
            "leave one out"
        )
    return list({scene.address: scene for scene in found}.values())


def write_items(scenes: Sequence[SceneName]) -> None:
    """Write the items of search results to files.

    Raises:
        WorkError: a file cannot be written.
    """
    for scene in scenes:
        if scene.item is not None:
            path = Path(scene.address)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with create_new(path) as file:
                    file.write(json.dumps(scene.item).encode())
            except OSError as error:
                raise WorkError(f"{path}: cannot be written ({reason(error)})") from error


@dataclass(slots=True)
class _Expansion:
    """Expands words to scenes. Lists are untrusted: they may contain themselves or be endless.

    Attributes:
        left: words that may still be expanded.
    """

    items_folder: Path
    left: int

    def scenes(self, word: str, *, depth: int = 0) -> Iterator[SceneName]:
        """Yield the scenes of a word nested in `depth` lists or patterns."""
        self.left -= 1
        if self.left < 0:
            raise WorkError(
                f"{without_secrets(word)}: exceeds {MOST_WORDS} scenes: plan them in parts"
            )
        location = Location.of(word)
        path = Path(location.address)
        named = path.exists() and path.suffix.lower() not in (*LISTS, ".json")
        if location.is_remote or named or product_of_part(location):
            yield _scene(word)
        elif path.is_file() and path.suffix.lower() in LISTS:
            if depth >= DEEPEST:
                raise WorkError(f"{word}: is nested in {depth} lists: name its scenes directly")
            for line in _read(path).splitlines():
                text = line.strip().strip('"')
                if text and not text.startswith("#"):
                    inner = text if _is_absolute(text) else str(path.parent / text)
                    yield from self.scenes(inner, depth=depth + 1)
        elif path.is_file():
            yield from _items(path, self.items_folder)
        elif set(str(path)) & set("*?["):
            for match in _matches(path):
                yield from self.scenes(match, depth=depth + 1)
        else:
            raise WorkError(f"{without_secrets(word)}: no such file or folder")


def _matches(pattern: Path) -> list[str]:
    try:
        base = Path(pattern.anchor or ".")
        found = base.glob(str(pattern.relative_to(pattern.anchor)))
        return sorted(map(str, found))
    except (OSError, ValueError, RecursionError) as error:
        raise WorkError(f"{pattern}: is not a file pattern ({reason(error)})") from error


def _items(path: Path, items_folder: Path) -> Iterator[SceneName]:
    try:
        document = parse_json(_read(path))
    except ValueError as error:
        raise WorkError(f"{path}: is not JSON ({reason(error)})") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        yield _scene(str(path))
        return
    features = document.get("features")
    if not isinstance(features, list):
        raise WorkError(f"{path}: is a FeatureCollection without a list of features")
    for number, item in enumerate(features, 1):
        name = item.get("id") if isinstance(item, dict) else None
        if not isinstance(name, str) or not _is_plain(name) or "assets" not in item:
            raise WorkError(f"{path}: feature {number} is not a STAC item with an id and assets")
        address = str((items_folder / f"{name}.json").absolute())
        yield SceneName(address, name, _with_whole_links(item, path))
    _warn_of_pages(document, len(features), path)


def _with_whole_links(item: dict[str, Any], file: Path) -> dict[str, Any]:
    """Return the item with absolute asset links.

    Relative links are resolved against the item's own URL, or else against `file`.
    """
    links = item.get("links")
    own = [
        link["href"]
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict)
        and link.get("rel") == "self"
        and isinstance(link.get("href"), str)
    ]
    base = next((href for href in own if Location.of(href).is_remote), None)

    def whole(asset: Any) -> Any:
        href = asset.get("href") if isinstance(asset, dict) else None
        if not isinstance(href, str) or "://" in href or _is_absolute(href):
            return asset
        try:
            there = urljoin(base, href) if base else str((file.parent / unquote(href)).absolute())
        except ValueError:
            return asset  # not an address; opening the scene reports it
        return asset | {"href": there}

    assets = item["assets"]
    if not isinstance(assets, dict):
        return item
    return item | {"assets": {key: whole(asset) for key, asset in assets.items()}}


def _warn_of_pages(document: dict[str, Any], found: int, file: Path) -> None:
    """Warn if the document holds only some of the items that the search found."""
    context = document.get("context")
    matched = document.get(
        "numberMatched", (context if isinstance(context, dict) else {}).get("matched")
    )
    if isinstance(matched, int) and matched > found:
        warnings.warn(
            f"{file}: holds {found} of the {matched} items that the search found: save the other "
            "pages too, and name all files",
            SceneWarning,
            stacklevel=2,
        )


def _is_absolute(address: str) -> bool:
    location = Location.of(address)
    return location.is_remote or location.path.is_absolute()


def _is_plain(name: str) -> bool:
    """Whether an id can be a file name; untrusted ids may be paths."""
    return (
        name not in ("", ".", "..")
        and not set(name) & set('/\\:*?"<>|')
        and name.isprintable()
        and len(name) < 200
    )


def _scene(word: str) -> SceneName:
    location = Location.of(word)
    if location.is_remote:
        return SceneName(word, _stem(location.name))
    name = product_of_part(location) or _stem(location.name)
    return SceneName(str(location.path.absolute()), name)


def _stem(name: str) -> str:
    for suffix in (".tif", ".tiff", ".tar", ".zip", ".json", ".safe"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def _read(path: Path) -> str:
    try:
        return read_regular(path, limit=MOST_BYTES).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise WorkError(f"{path}: cannot be read ({reason(error)})") from error
