"""How commands end: the exit code, the final line and its stream."""

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import geosrseg
from geosrseg.cli import main as main_module
from geosrseg.cli.main import COMMANDS, main
from geosrseg.cli.options import debug_option


@pytest.fixture
def run(monkeypatch):
    """Run a command ``fake`` with a given behaviour; returns the result."""

    def run(function, *args):
        fake = debug_option(click.Command("fake", callback=function))
        find = main_module.LazyGroup.get_command
        monkeypatch.setattr(
            main_module.LazyGroup,
            "get_command",
            lambda group, ctx, name: fake if name == "fake" else find(group, ctx, name),
        )
        return CliRunner().invoke(main, args or ["fake"])

    return run


def raising(error):
    def function():
        raise error

    return function


class TestEnds:
    def test_done(self, run):
        result = run(lambda: click.echo("out"))
        assert (result.exit_code, result.stdout, result.stderr) == (0, "out\n", "")

    @pytest.mark.parametrize("kind", geosrseg.GeosrsegError.__subclasses__())
    def test_a_foreseen_error_is_one_line(self, run, kind):
        result = run(raising(kind("a.tif: no bands\nat all")))
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "error: a.tif: no bands at all\n"

    def test_an_unforeseen_error_asks_for_a_report(self, run):
        result = run(raising(ZeroDivisionError("division by zero")))
        assert result.exit_code == 1
        assert result.stderr == (
            "error: ZeroDivisionError: division by zero (this is a bug: run it again with "
            "--debug and report the output)\n"
        )

    @pytest.mark.parametrize("args", [["--debug", "fake"], ["fake", "--debug"]])
    @pytest.mark.parametrize("error", [geosrseg.SceneError("no bands"), KeyError("no bands")])
    def test_debug_shows_the_traceback_before_the_line(self, run, args, error):
        result = run(raising(error), *args)
        assert result.exit_code == 1
        *trace, last = result.stderr.splitlines()
        assert trace[0].startswith("Traceback")
        assert last.startswith("error: ")
        assert "no bands" in last
        assert "--debug" not in last

    def test_interrupted(self, run):
        result = run(raising(KeyboardInterrupt()))
        assert (result.exit_code, result.stderr) == (130, "interrupted\n")

    def test_a_reader_that_went_away_is_no_news(self, run):
        result = run(raising(BrokenPipeError(32, "Broken pipe")))
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")

    def test_what_a_terminal_would_obey_is_not_shown(self, run):
        def fail():
            raise geosrseg.SceneError("a\x1b[2J\x07.tif: caf\u00e9 \udcff")

        assert run(fail).stderr == "error: a?[2J?.tif: caf\u00e9 ?\n"

    def test_a_warning_is_one_line(self, run):
        def warn():
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.warn("the scene has\nno CRS", geosrseg.SceneWarning, stacklevel=1)

        result = run(warn)
        assert (result.exit_code, result.stderr) == (0, "warning: the scene has no CRS\n")

    @pytest.mark.parametrize("args", [["nope"], ["--nope"], ["models", "nope"]])
    def test_wrong_usage(self, args):
        result = CliRunner().invoke(main, args)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "Usage: " in result.stderr
        assert "nope" in result.stderr

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (["--mask", "cloud", "--mask=shadow"], "--mask is given 2 times: list its values with"),
            (["-m", ""], "--model is empty: give a value, or leave it out"),
            (["--aoi="], "--aoi is empty: give a value, or leave it out"),
        ],
    )
    def test_no_value_is_dropped_without_a_word(self, args, words):
        result = CliRunner().invoke(main, ["predict", "scene.tif", *args])
        assert (result.exit_code, result.stdout) == (2, "")
        assert words in result.stderr

    def test_values_that_add_up_or_override_may_be_repeated(self):
        args = "--nodata 0 --nodata 1 --overwrite --overwrite --window 64 --window 32 --title"
        result = CliRunner().invoke(main, ["predict", "no.tif", *args.split(), ""])
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no.tif" in result.stderr

    @pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_a_signal_unwinds_the_stack(self, number, code, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(
            "import time, click\n"
            "from geosrseg.cli.main import main, LazyGroup\n"
            "def wait():\n"
            "    try:\n"
            "        print('ready', flush=True)\n"
            "        time.sleep(60)\n"
            "    finally:\n"
            "        print('tidied up', flush=True)\n"
            "LazyGroup.get_command = lambda *_: click.Command('wait', callback=wait)\n"
            "main(['wait'])\n"
        )
        with subprocess.Popen(
            [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            out, err = process.communicate()
        assert (process.returncode, out) == (code, "tidied up\n")
        assert "Traceback" not in err


class TestHelp:
    @pytest.mark.parametrize("room", COMMANDS)
    def test_lists_every_command_of_the_room(self, room):
        folder = Path(main_module.__file__).parent / room
        assert {file.stem for file in folder.glob("*.py")} - {"__init__"} == COMMANDS[room].keys()

    @pytest.mark.parametrize("room", COMMANDS)
    def test_the_table_says_what_the_command_says(self, room):
        for name, said in COMMANDS[room].items():
            command = main.get_command(click.Context(main), name)
            first_paragraph = command.help.partition("\n\n")[0]
            assert " ".join(first_paragraph.split()) == said

    @pytest.mark.parametrize("room", COMMANDS)
    def test_its_commands_are_listed(self, room):
        listed = CliRunner().invoke(main, ["--help"]).stdout
        assert all(f"  {name}" in listed for name in COMMANDS[room])

    def test_every_option_is_explained(self):
        for ctx in contexts(main, "geosrseg"):
            assert ctx.command.help, ctx.command_path
            for option in ctx.command.params:
                if isinstance(option, click.Option):
                    assert option.help, f"{ctx.command_path} {option.opts[0]}"

    def test_every_command_shows_its_traceback_with_debug(self):
        for ctx in contexts(main, "geosrseg"):
            names = {name for option in ctx.command.params for name in option.opts}
            assert "--debug" in names, ctx.command_path


def contexts(command, name, parent=None):
    """The contexts of a command and of all its subcommands."""
    ctx = click.Context(command, parent, info_name=name)
    yield ctx
    if isinstance(command, click.Group):
        for child in command.list_commands(ctx):
            yield from contexts(command.get_command(ctx, child), child, ctx)


def test_the_version_is_the_packages():
    first, *others = CliRunner().invoke(main, ["--version"]).stdout.splitlines()
    assert first == f"geosrseg {geosrseg.__version__}"
    for name in ("Python", "rasterio", "GDAL", "PROJ", "onnxruntime"):
        assert name in "\n".join(others)


def test_bash_completes_commands():
    shell = {
        "_GEOSRSEG_COMPLETE": "bash_complete",
        "COMP_WORDS": "geosrseg quick",
        "COMP_CWORD": "1",
    }
    result = CliRunner().invoke(main, [], prog_name="geosrseg", env=shell)
    assert result.stdout.split() == ["plain,quicklook"]


def test_python_m_geosrseg_is_geosrseg():
    result = subprocess.run(
        [sys.executable, "-m", "geosrseg", "--help"], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("Usage: geosrseg [OPTIONS]")
