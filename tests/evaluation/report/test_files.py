"""What a report leaves behind."""

import csv
import json

import pytest

from geosrseg.errors import OutputError
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.evaluation.evaluation_sizes import EvaluationSizes
from geosrseg.evaluation.report.files import FILES, check_report, write_report


@pytest.fixture
def report(card, model):
    models = [model(upscale_factor=5), model(), model(upscale_factor=1)]
    return evaluate(models, card, split="validation", device="cpu", sizes=EvaluationSizes(block=32))


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_name_without_suffix_is_a_folder_of_everything(report, tmp_path):
    write_report(report, tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == set(FILES)


@pytest.mark.parametrize(
    ("name", "as_in_folder"), [("a.json", "report.json"), ("a.CSV", "metrics.csv")]
)
def test_a_suffix_asks_for_one_file(report, tmp_path, name, as_in_folder):
    write_report(report, tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8") == FILES[as_in_folder](report)


def test_json_holds_every_figure_with_its_interval(report, tmp_path):
    write_report(report, tmp_path / "a.json")
    values = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert values["classes"] == ["dark", "bright"]
    assert values["settings"]["blocks"] == 15
    assert sum(values["reference_pixels"].values()) == report.models[0].confusion.total
    first, second, native = values["reports"]
    assert (first["compared_with"], first["differences"]) == (None, {})
    change = second["differences"]["kappa"]
    assert change["value"] == pytest.approx(second["kappa"] - first["kappa"])
    assert change["interval"][0] < change["value"] < change["interval"][1]
    low, high = second["intervals"]["iou/dark"]
    assert low < second["iou"]["dark"] < high
    assert native["psnr"] is None
    assert second["confusion"]["counts"] == report.models[1].confusion.counts.tolist()


def test_csv_has_a_row_for_every_figure_of_every_model(report, tmp_path):
    write_report(report, tmp_path / "a.csv")
    rows = rows_of(tmp_path / "a.csv")
    keys = [(row["model"], row["figure"], row["class"]) for row in rows]
    assert len(set(keys)) == len(keys) == 3 * (6 + 5 * 2 + 2)
    (kappa,) = (r for r in rows if (r["model"], r["figure"]) == ("tiny (2)", "kappa"))
    assert float(kappa["value"]) == report.models[1].confusion.kappa
    assert float(kappa["difference_low"]) < float(kappa["difference"])
    (psnr,) = (r for r in rows if (r["model"], r["figure"]) == ("tiny (3)", "psnr"))
    assert psnr["value"] == ""


def test_the_confusion_matrices_add_up(report, tmp_path):
    write_report(report, tmp_path / "report")
    rows = rows_of(tmp_path / "report" / "confusion.csv")
    for model in report.models:
        pixels = [int(row["pixels"]) for row in rows if row["model"] == model.model]
        assert pixels == model.confusion.counts.ravel().tolist()


class TestRefusals:
    @pytest.mark.parametrize("name", ["report", "report.json"])
    def test_what_is_there_is_not_replaced_unasked(self, report, tmp_path, name):
        write_report(report, tmp_path / name)
        with pytest.raises(OutputError, match="`overwrite=True`"):
            write_report(report, tmp_path / name)
        write_report(report, tmp_path / name, overwrite=True)

    def test_an_unknown_suffix(self, tmp_path):
        with pytest.raises(
            OutputError, match=r"expected a name that ends in \.json or \.csv or \.html"
        ):
            check_report(tmp_path / "a.xlsx", overwrite=False)

    def test_a_file_where_the_folder_should_be(self, tmp_path):
        (tmp_path / "report").write_text("mine")
        with pytest.raises(OutputError, match="is not a folder"):
            check_report(tmp_path / "report", overwrite=True)

    def test_a_folder_in_no_folder(self, tmp_path):
        with pytest.raises(OutputError, match="make it first"):
            check_report(tmp_path / "none" / "report", overwrite=False)

    def test_other_files_in_the_folder_are_left_alone(self, report, tmp_path):
        (tmp_path / "report").mkdir()
        (tmp_path / "report" / "notes.txt").write_text("mine")
        write_report(report, tmp_path / "report")
        assert (tmp_path / "report" / "notes.txt").read_text() == "mine"
