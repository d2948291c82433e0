"""The documentation says what the code does."""

import re
import runpy
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest

from geosrseg.cli.main import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "weights" / "README.md", *sorted(DOCS.rglob("*.md"))]


def commands() -> list[str]:
    """Every line ``geosrseg ...`` of the shell blocks."""
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    ]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return sorted({line for line in lines if line.startswith("geosrseg ")})


def test_the_reference_of_the_command_line_is_current():
    reference = runpy.run_path(str(DOCS / "cli_reference.py"))["reference"]
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference(), "run `make docs`"


@pytest.mark.parametrize("line", commands())
def test_every_command_shown_is_one_that_works(line):
    words = shlex.split(line, comments=True)[1:]
    with click.Context(main, info_name="geosrseg", **main.context_settings) as context:
        name, command, arguments = main.resolve_command(context, words)
        with suppress(click.exceptions.Exit):  # --help
            command.make_context(name, arguments, parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    if page.parent.name == "tutorials":  # pictures that its commands make: tests/site
        links = [link for link in links if "/" in link or link.endswith(".md")]
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing
