import click
import pytest

from geosrseg.cli.wording import in_options, in_words_of_command, option_names

NAMES = {"window_size": "--window", "overwrite": "--overwrite", "bands": "--bands"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("use a smaller `window_size`", "use a smaller --window"),
        ("say it with `bands=1,2,3`", "say it with --bands 1,2,3"),
        ("pass `overwrite=True`", "pass --overwrite"),
        ("`colour` is none of its options", "`colour` is none of its options"),
        ("a file `a.tif`", "a file `a.tif`"),
    ],
)
def test_a_field_has_the_name_of_its_option(text, shown):
    assert in_options(text, NAMES) == shown


def test_the_names_are_those_of_the_command():
    @click.command()
    @click.option("-w", "--window", "window_size")
    @click.argument("scene")
    def command(window_size, scene):
        pass

    assert option_names(command) == {"window_size": "--window"}


def test_without_a_command_it_stays_as_python_writes_it():
    assert in_words_of_command("use a smaller `window_size`") == "use a smaller `window_size`"
