"""The tutorials' commands do what the pages say, with the shipped model and the demo scene."""

import pytest

from docs.site import tutorial
from docs.site.tutorial import TUTORIALS, read_steps, resembles

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]


def test_every_tutorial_runs(ran):
    """A command that fails, or says something else than its page, is an error there."""
    assert {path.name for path in ran.iterdir()} == set(tutorial.names())
    assert (ran / "many-scenes" / "all.tif").is_file()


@pytest.mark.parametrize("name", tutorial.names())
def test_a_tutorial_is_read_in_five_minutes(name):
    assert len((TUTORIALS / f"{name}.md").read_text(encoding="utf-8").split()) < 5 * 200


def test_the_first_tutorial_is_run_first():
    assert tutorial.names()[0] == tutorial.FIRST


@pytest.mark.parametrize(
    ("said", "shown", "alike"),
    [
        ("classes: water 61.2%, built 21.2%\n", "classes: water 61.4%, built 21.0%", True),
        ("classes: water 61.2%, built 21.2%\n", "classes: water 31.2%, built 21.2%", False),
        ("classes: water 61.2%, built 21.2%\n", "classes: built 61.2%, ...", False),
        ("one\ntwo 2\nthree\n", "one\n...\nthree", True),
        ("one\ntwo 2\nthree\n", "...\ntwo 2", False),
        ("1,234.5 ha", "1,240 ha", True),
    ],
)
def test_what_a_command_says_is_compared_up_to_small_differences(said, shown, alike):
    assert resembles(said, shown) is alike


def test_commands_and_what_the_last_one_says(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```sh\none \\\n  --more\n# not this\ntwo\n```\n\n"
        "```text\n2\n```\n\n```console\n$ no\n```\n",
        encoding="utf-8",
    )
    (step,) = read_steps(page)
    assert [command.split() for command in step.commands] == [["one", "--more"], ["two"]]
    assert step.said == "2\n"
