"""The pinned packages are those that pyproject.toml asks for, each with its hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
BASE = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]
ASKED = {
    "demo": BASE,
    "dev": [*BASE, *(line for name, lines in EXTRAS.items() if name != "gpu" for line in lines)],
    "site": [*BASE, *EXTRAS["cpu"], *EXTRAS["gis"], *EXTRAS["site"]],
    "tools": PROJECT["dependency-groups"]["tools"],
}


def pinned(name: str) -> dict[str, set[str]]:
    """Versions by package; a package may have one for each Python or platform."""
    versions: dict[str, set[str]] = {}
    text = (ROOT / ".ci" / f"{name}.txt").read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text):
        if match := re.match(r"([\w.-]+)(?:\[\S+\])?==([^\s;]+)", entry):
            assert "--hash=sha256:" in entry, match[0]
            versions.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return versions


@pytest.mark.parametrize("name", ASKED)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(name):
    versions = pinned(name)
    for line in ASKED[name]:
        requirement = Requirement(line)
        found = versions.get(canonicalize_name(requirement.name), set())
        assert any(map(requirement.specifier.contains, found)), f"{line}: make pins"
