"""``geosrseg benchmark`` on the command line."""

import json
from functools import partial

import pytest
from click.testing import CliRunner

from geosrseg.bench import benchmark, seam_comparison
from geosrseg.cli.main import main
from geosrseg.runtime.shipped_models import DEFAULT_MODEL
from tests.tiny_benchmark import make_benchmark


def run(*args):
    return CliRunner().invoke(main, ["benchmark", *map(str, args)])


@pytest.fixture
def measured(monkeypatch):
    """The arguments of calls to the benchmark, which returns made-up results."""
    calls = []

    def measure(model, **arguments):
        calls.append((model, arguments))
        return make_benchmark()

    monkeypatch.setattr(benchmark, "benchmark", measure)
    return calls


@pytest.fixture
def once(monkeypatch):
    """Seams are measured on the CPU, once."""
    seams = partial(seam_comparison.compare_seams, device="cpu", repeats=1)
    monkeypatch.setattr(seam_comparison, "compare_seams", seams)


def test_it_prints_tables(measured):
    result = run("a.onnx", "--size", "24x30", "--quick")
    assert result.exit_code == 0, result.output
    ((model, arguments),) = measured
    assert model == "a.onnx"
    assert (arguments["size"], arguments["quick"], arguments["full"]) == ((24, 30), True, False)
    lines = result.stdout.splitlines()
    assert "tiny 1, 4x, 0 k multiply-adds for each HR pixel" in lines
    assert "| openvino | fp32 | 0.002 (0.002 to 0.002) | 4.00 | 50% | 1.0 |" in lines
    assert "| openvino | bf16 | 0.003 (0.003 to 0.003) | 8.00 | – | – |" in lines
    assert "| openvino | fp32 | 0.001 (0.001 to 0.001) | 2.18 | 1.20 | 0.0 |" in lines
    assert lines[-1] == "Not measured: cuda (no GPU)"
    assert result.stderr == ""


def test_the_embedded_model_is_measured_unless_another_is_given(measured):
    assert run("--full").exit_code == 0
    assert measured[0][0] == DEFAULT_MODEL
    assert measured[0][1]["full"]


def test_the_figures_are_json_on_the_terminal_and_in_a_file(measured, tmp_path):
    output = tmp_path / "figures.json"
    result = run("--json", "-o", output)
    assert (
        json.loads(result.stdout)
        == json.loads(output.read_text())
        == {
            **make_benchmark().to_json(),
            "machine": json.loads(result.stdout)["machine"],
        }
    )
    again = run("-o", output)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
    assert len(measured) == 1  # it was refused before the work
    assert run("-o", output, "--overwrite").exit_code == 0


@pytest.mark.usefixtures("once")
def test_seams_are_a_table_of_shares(tiny_model):
    result = run(tiny_model(reach=3, window_size=32), "--compare-seams", "--size", "64x64")
    assert result.exit_code == 0, result.output
    assert "| window / halo / ramp | work | HR Mpx/s | labels that differ |" in result.stdout
    assert "| 32 / 0 / 0 | 1.00 |" in result.stdout
    assert "| 0 to 8 |" in result.stdout
    assert "| class 1 | class 2 | class 3 |" in result.stdout


@pytest.mark.usefixtures("once")
def test_json_is_one_object(tiny_model):
    result = run(tiny_model(window_size=32), "--compare-seams", "--size", "40x40", "--json")
    found = json.loads(result.stdout)
    assert found["size"] == [40, 40]
    assert {"model", "results", "untiled_hr_pixels_per_second"} <= found.keys()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--size", "100"], "expected ROWSxCOLS, such as 1000x1000"),
        (["--size", "0x5"], "expected ROWSxCOLS"),
        (["--compare-seams", "--full"], "--compare-seams needs trained weights"),
        (["--scene", "a.tif"], "--scene goes with --compare-seams"),
    ],
)
def test_wrong_usage(args, message):
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.stderr
