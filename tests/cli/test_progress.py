"""Lines of progress fit into the terminal and drop the least important figures."""

import io

import pytest
from tqdm import tqdm

from geosrseg.cli.terminal.prediction_bar import PredictionBar
from geosrseg.cli.terminal.progress import fit_line, time_left
from geosrseg.mapping.prediction import Progress

FIGURES = ["01:02 left", "0.45 HR Mpx/s", "20/40 windows"]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (80, "network  50% |{bar}|, 01:02 left, 0.45 HR Mpx/s, 20/40 windows"),
        (54, "network  50%, 01:02 left, 0.45 HR Mpx/s, 20/40 windows"),
        (39, "network  50%, 01:02 left, 0.45 HR Mpx/s"),
        (38, "network  50% |{bar}|, 01:02 left"),
        (24, "network  50%, 01:02 left"),
        (23, "network  50%"),
        (5, "network  50%"),
    ],
)
def test_a_line_keeps_what_matters_most(columns, line):
    assert fit_line(columns, "network  50%", FIGURES) == line


@pytest.mark.parametrize("columns", range(13, 90, 7))
def test_no_line_is_longer_than_the_window(columns):
    file = io.StringIO()
    with tqdm(total=40, file=file, ncols=columns) as bar:
        bar.bar_format = fit_line(columns, "network  50%", FIGURES)
        assert len(str(bar)) <= columns


def test_what_a_run_before_had_finished_costs_no_time():
    with tqdm(total=40, initial=20, file=io.StringIO(), mininterval=0) as bar:
        assert time_left(bar) == ""
        bar.last_print_t -= 100
        bar.update(10)
        assert time_left(bar) == "01:40 left"


def test_without_a_terminal_there_is_no_line(capfd):
    with PredictionBar() as bar:
        for phase in ("reading", "network", "writing", "checking"):
            bar.show(Progress(0, 1, 0, 1.0, phase))
    assert capfd.readouterr() == ("", "")
