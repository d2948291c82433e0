"""The script for machines with a GPU does all of its work where there is none, at small size."""

import json
import runpy
from pathlib import Path

import pytest

from tests.tiny_datasets import write_dataset

KIT = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "gpu_kit.py"))
main, agreement = KIT["main"], KIT["agreement"]

TINY = (
    "--protocols lr --upscale 4 --split validation --preset slim --epochs 1 --chips-per-epoch 4 "
    "--batch-size 4 --crop 64 --seg-width 0.0625 --precision fp32 --no-class-offsets --averaging 0"
)


def rows(folder, part):
    return json.loads((folder / f"{part}.json").read_text())["rows"]


def test_without_a_gpu_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["check", "-o", str(tmp_path)]) == 1
    assert "PyTorch finds no GPU here" in capsys.readouterr().err


@pytest.mark.slow
def test_check_compares_every_path_with_the_cpu(tmp_path):
    assert main(["check", "--cpu", "--small", "-o", str(tmp_path)]) == 0
    found = rows(tmp_path, "check")
    assert {row["device"] for row in found} == {"openvino", "torch cpu"}
    measured = [row for row in found if row.get("precision") == "fp32"]
    assert all(row["equal_labels"] >= 0.999 and row["passed"] for row in measured)


def test_what_is_more_than_rounding_does_not_pass():
    import numpy as np

    probabilities = np.zeros((1, 2, 4, 4), np.float32)
    probabilities[:, 0] = 1
    other = probabilities.copy()
    other[0, :, 0, 0] = (0, 1)
    image = np.ones((1, 3, 4, 4), np.float32)
    same = agreement((probabilities, image), (probabilities, image), "fp32")
    assert same == {"equal_labels": 1.0, "sr_error": 0.0, "passed": True}
    unlike = agreement((probabilities, image), (other, image), "fp32")
    assert (unlike["equal_labels"], unlike["passed"]) == (15 / 16, False)
    assert not agreement((probabilities, image), (probabilities, image * 1.1), "fp32")["passed"]
    assert "passed" not in agreement((probabilities, image), (other, image), "fp16")


@pytest.mark.slow
def test_bench_says_what_a_landsat_scene_takes(tmp_path):
    assert main(["bench", "--cpu", "--small", "-o", str(tmp_path)]) == 0
    peak, network, *commands = rows(tmp_path, "bench")
    assert peak["peak_tflops"]["fp32"] > 0
    assert network["seconds_of_a_landsat_scene"] > 0
    rate = 1e6 * network["hr_mpx_per_second"]
    pixels = (7_700 * network["upscale_factor"]) ** 2
    assert network["seconds_of_a_landsat_scene"] == pytest.approx(pixels / rate)
    assert [row.get("missing") or row["seconds"] > 0 for row in commands]


@pytest.mark.slow
def test_train_stops_in_time_and_resumes(tmp_path, capsys):
    words = ["train", "--cpu", "-o", str(tmp_path / "gpu"), "--minutes"]
    data = ["--dataset", str(write_dataset(tmp_path)), "--data", str(tmp_path)]
    assert main([*words, "0.02", "--", *data, *TINY.split()]) == 3
    assert "call it again" in capsys.readouterr().err
    assert main([*words, "5", "--", *data, *TINY.split()]) == 0
    assert "| lr-4x |" in capsys.readouterr().out
    assert (tmp_path / "gpu" / "all" / "report" / "curve.svg").is_file()
