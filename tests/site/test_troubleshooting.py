"""The messages of docs/troubleshooting.md are those that the commands print."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from tests.site.troubles import TROUBLES

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
SHOWN = dict(
    re.findall(r"^### (.+)\n\n```text\n(.+)\n```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
)


def say(words: list[str]) -> str:
    return CliRunner().invoke(main, words).output


def say_without(package: str, words: list[str]) -> str:
    """In a process of its own, where the package has not been loaded yet."""
    code = f"""import sys
sys.modules[{package!r}] = None
from geosrseg.cli.main import main
main({words!r})
"""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_every_message_of_the_page_is_tested():
    assert SHOWN.keys() == TROUBLES.keys()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("heading", SHOWN)
def test_the_message_is_the_one_that_the_page_shows(heading, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trouble = TROUBLES[heading]
    words = trouble.command()
    said = say_without(trouble.without, words) if trouble.without else say(words)
    pattern = ".+?".join(map(re.escape, SHOWN[heading].split("...")))
    assert re.search(f"^{pattern}$", said, re.MULTILINE), said
