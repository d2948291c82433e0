"""Runs the commands of a tutorial, and compares their output with the page.

Every line of a block ``sh`` is run. A block ``text`` after it shows the output of the last
command. ``...`` in it stands for any text, and numbers may differ a little: another processor
may round a pixel to another class.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from geosrseg.cli.main import main

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
FIRST = "first-map"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
SEPARATOR = re.compile(r"(\s*\.\.\.\s*|\s+)")
TOLERANCE = 0.15


@dataclass(frozen=True, slots=True)
class Step:
    """Commands, and the output of the last one.

    Attributes:
        said: the output that the page shows; None if it shows none.
    """

    commands: tuple[str, ...]
    said: str | None = None


def names() -> list[str]:
    """Return the names of the tutorials, `FIRST` first."""
    found = sorted(page.stem for page in TUTORIALS.glob("*.md"))
    return sorted(found, key=lambda name: name != FIRST)


def read_steps(page: Path) -> list[Step]:
    """Return the commands of a page."""
    found: list[Step] = []
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "sh":
            lines = text.replace("\\\n", " ").splitlines()
            found.append(Step(tuple(line for line in lines if line and not line.startswith("#"))))
        else:
            found[-1] = Step(found[-1].commands, text)
    return found


def start(name: str, folder: Path) -> Path:
    """Make the folder in which a tutorial runs.

    It holds the files of the demo, and for later tutorials also what the first one made.
    """
    work = folder / name
    if name == FIRST:
        shutil.copytree(ROOT / "docs" / "demo", work / "docs" / "demo")
    else:
        shutil.copytree(folder / FIRST, work)
    return work


def run(name: str, work: Path) -> None:
    """Run a tutorial.

    Raises:
        ValueError: a command failed, or its output differs from the page.
    """
    with chdir(work):
        for step in read_steps(TUTORIALS / f"{name}.md"):
            for line in step.commands:
                said = _run_line(line)
            if step.said is not None and not resembles(said, step.said):
                raise ValueError(f"{name}: {line}\nsaid:\n{said}\nthe page says:\n{step.said}")


def _run_line(line: str) -> str:
    if line.startswith("geosrseg "):  # in this process, which has loaded everything
        done = CliRunner().invoke(main, shlex.split(line)[1:], prog_name="geosrseg")
        code, said = done.exit_code, done.output
    else:
        folder = str(Path(sys.executable).parent)
        environment = {**os.environ, "PATH": folder + os.pathsep + os.environ["PATH"]}
        process = subprocess.run(
            ["bash", "-c", line], env=environment, capture_output=True, text=True, check=False
        )
        code, said = process.returncode, process.stdout + process.stderr
    if code:
        raise ValueError(f"{line}: exit code {code}\n{said}")
    return said


def resembles(said: str, shown: str) -> bool:
    """Return whether an output is the one shown, up to ``...`` and small differences."""
    pattern = "".join(_as_pattern(word) for word in SEPARATOR.split(shown.strip()))
    match = re.fullmatch(rf"\s*{pattern}\s*", said, re.DOTALL)
    if match is None:
        return False
    numbers = [_number(text) for text in NUMBER.findall(shown)]
    return all(
        abs(found - number) <= max(TOLERANCE * number, 1)
        for found, number in zip(map(_number, match.groups()), numbers, strict=True)
    )


def _as_pattern(word: str) -> str:
    if word.strip() == "...":
        return ".*?"
    if word.isspace():
        return r"\s+"
    parts = re.split(f"({NUMBER.pattern})", word)
    return "".join(
        f"({NUMBER.pattern})" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )


def _number(text: str) -> float:
    return float(text.replace(",", ""))
