import math
import xml.etree.ElementTree as ET

import pytest

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import RunError
from geosrseg.evaluation.experiment import ExperimentPlan
from geosrseg.evaluation.reproducing.learning_curve import (
    Curve,
    curve_csv,
    curve_svg,
    draw_lines,
    read_curves,
)

LEGEND = Legend((LegendClass(1, "road & rail", "#222222"),))
PLAN = ExperimentPlan(protocols=("lr", "hr"), upscale_factors=(8,), seeds=2)


@pytest.fixture
def runs(tmp_path):
    found = {}
    for number, each in enumerate(PLAN.experiments()):
        found[each] = tmp_path / each.name
        found[each].mkdir()
        rows = [f"{epoch},{0.1 * epoch + 0.01 * number},0.5" for epoch in range(5)]
        text = "epoch,val/mean_iou,val/iou_1\n0,,\n" + "\n".join(rows[1:]) + "\n"
        (found[each] / "metrics.csv").write_text(text)
    return found


def test_a_line_is_the_mean_over_the_seeds_of_an_arm(runs):
    lines = draw_lines(read_curves(runs, LEGEND))
    assert list(lines) == ["mean IoU", "road & rail"]
    lr, hr = lines["mean IoU"]
    assert (lr.arm, hr.arm) == ("lr-8x", "hr")
    assert math.isnan(lr.means[0])  # nothing was measured in a warm-up
    assert lr.means[1:] == pytest.approx((0.105, 0.205, 0.305, 0.405))
    assert (lr.lows[4], lr.highs[4]) == pytest.approx((0.4, 0.41))


def test_a_seed_that_stopped_early_does_not_cut_the_others():
    long, short = (tuple(0.1 * k for k in range(count)) for count in (10, 4))
    curves = [Curve("lr", 0, "mean IoU", long), Curve("lr", 1, "mean IoU", short)]
    assert draw_lines(curves)["mean IoU"][0].means == pytest.approx(long)


def test_what_the_last_fifth_brought_tells_whether_it_has_levelled_off():
    curves = [Curve("lr", 0, "mean IoU", tuple(0.1 * k for k in range(10)))]
    assert draw_lines(curves)["mean IoU"][0].late_gain == pytest.approx(0.2)
    flat = [Curve("lr", 0, "mean IoU", (0.4,) * 10)]
    assert draw_lines(flat)["mean IoU"][0].late_gain == 0


def test_the_picture_has_a_panel_for_each_figure_and_a_line_for_each_arm(runs):
    svg = ET.fromstring(curve_svg(read_curves(runs, LEGEND)))
    name = "{http://www.w3.org/2000/svg}"
    panels = svg.findall(f"{name}g")
    assert [panel.find(f"{name}text").text for panel in panels] == [
        "mean IoU, validation",
        "road & rail, validation",
    ]
    for panel in panels:
        lines = panel.findall(f"{name}polyline")
        assert len(lines) == 2
        assert all(len(line.get("points").split()) == 4 for line in lines)


def test_the_table_has_a_row_for_each_epoch(runs):
    lines = curve_csv(read_curves(runs, LEGEND)).splitlines()
    assert lines[0] == "arm,seed,figure,epoch,value"
    assert "lr-8x,1,mean IoU,0," in lines
    assert len(lines) == 1 + 4 * 2 * 5


def test_a_run_without_metrics_is_refused(runs):
    next(iter(runs.values())).joinpath("metrics.csv").unlink()
    with pytest.raises(RunError, match="cannot be read as a metrics table"):
        read_curves(runs, LEGEND)
