"""The metrics of a run that has not finished are those of its best epoch."""

import math

from geosrseg.training.run_folder.metrics_table import put_metrics
from geosrseg.training.run_folder.validation import Validation, best_validation


def test_values_that_are_not_finite_are_left_out(tmp_path):
    """Native images have an infinite PSNR, and a class without pixels has no IoU."""
    table = tmp_path / "metrics.csv"
    values = {"mean_iou": 0.5, "psnr": math.inf, "iou_water": math.nan}
    put_metrics(table, 0, {f"val/{name}": value for name, value in values.items()})
    stopped, finished = best_validation(table), Validation.from_json(Validation(values).to_json())
    assert stopped == finished == Validation({"mean_iou": 0.5})
