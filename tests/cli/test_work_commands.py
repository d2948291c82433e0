"""The output and the exit codes of plan and run."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.raster.maps.class_map import open_class_map
from tests.batch.conftest import write_scene


@pytest.fixture
def folder(tmp_path, tiny_model):
    tiny_model(bands=3, reach=2)
    for k in range(3):
        write_scene(tmp_path / "in" / f"s{k}.tif", seed=k, broken=k == 1)
    write_scene(tmp_path / "in" / "s2.tif", seed=2, crs=None)
    return tmp_path


def call(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def plan(folder, *words):
    model = ("--model", folder / "tiny.onnx", "--device", "cpu", "--precision", "fp32")
    return call(
        "plan", folder / "in" / "s*.tif", "--output-folder", folder / "out",
        "-o", folder / "w.jsonl", *model, *words,
    )  # fmt: skip


def test_plan_prints_a_line_a_scene_and_totals(folder):
    done = plan(folder)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["new", "broken", "new"]
    # In the words of the command, and with the scene's name once.
    assert lines[1].count("s1.tif") == 1
    assert "--bands band 1=N" in lines[1]
    assert lines[3].startswith(f"{folder / 'w.jsonl'}: 2 new, 1 broken; ")
    assert len((folder / "w.jsonl").read_text().splitlines()) == 3


def test_a_plan_says_where_a_scene_has_fewer_strips_than_parts(folder):
    done = plan(folder, "--split-rows", 4)
    new = [line for line in done.stdout.splitlines() if line.startswith("new")]
    assert all("in 1 part, as it has no more strips: use a smaller --window" in x for x in new)
    assert len(new) == 2


def test_a_plan_without_a_scene_to_map_names_the_scene_once(folder):
    done = call(
        "plan", folder / "in" / "s1.tif", "--output-folder", folder / "out",
        "-o", folder / "w.jsonl", "--model", folder / "tiny.onnx", "--device", "cpu",
    )  # fmt: skip
    assert done.exit_code == 1
    assert done.stderr.count("s1.tif") == 1
    assert "--bands band 1=N" in done.stderr


def test_maps_of_a_plan_have_the_classes_of_its_legend(folder):
    legend = folder / "legend.toml"
    classes = '[[classes]]\nid = 7\nname = "all"\ncolour = "#112233"\nfrom = [1, 2, 3]\n'
    legend.write_text(classes)
    plan(folder, "--legend", legend)
    assert call("run", folder / "w.jsonl", "--task", "0").exit_code == 0
    found = open_class_map(folder / "out" / "s0.tif").legend
    assert [(item.id, item.name) for item in found.classes] == [(7, "all")]
    legend.write_text(classes.replace("all", "other"))
    assert "skipped" in call("run", folder / "w.jsonl", "--task", "0").stdout
    done = call("run", folder / "w.jsonl", "--task", "2")
    assert done.exit_code == 1
    assert "legend.toml: has changed since the work was planned: plan again" in done.stderr


def test_run_names_what_failed_and_which_scene_it_warns_of(folder):
    plan(folder)
    done = call("run", folder / "w.jsonl")
    assert done.exit_code == 1
    states = {
        line.split()[-1].rpartition("/")[2]: line.split()[0] for line in done.stdout.splitlines()
    }
    assert states == {"s0.tif": "done", "s1.tif": "failed", "s2.tif": "done"}
    said = done.stderr.splitlines()
    assert f"warning: {folder / 'in' / 's2.tif'}: it has no CRS: the map has none either" in said
    (error,) = (line for line in said if line.startswith("error: "))
    assert error.startswith(f"error: {folder / 'in' / 's1.tif'}: could not be planned: ")
    assert error.count("s1.tif") == 1
    left_out = (
        "warning: s2.json: its map has no CRS of the Earth or is not north-up, and is in the "
        "collection only"
    )
    assert said[-3:-1] == ["2 done, 0 skipped, 1 failed", left_out]
    assert said[-1].startswith(f"{folder / 'out'}: 2 maps indexed: collection.json, ")
    done = call("index", folder / "out")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        str(folder / "out" / name)
        for name in ("collection.json", "index-EPSG-32636.vrt", "index.gti.gpkg")
    ]
    assert done.stderr.splitlines() == [left_out]


def test_run_as_json_is_a_line_a_task(folder):
    plan(folder)
    done = call("run", folder / "w.jsonl", "--task", "0", "--json")
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    assert not (folder / "out" / "collection.json").exists()  # one task of an array
    found = json.loads(line)
    assert (found["state"], found["output"]) == ("done", str(folder / "out" / "s0.tif"))
    assert (found["warnings"], found["error"], found["attempts"]) == ([], "", 1)


@pytest.mark.parametrize(
    "variable", ["SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX"]
)
def test_a_job_of_an_array_runs_the_task_of_its_index(folder, variable, monkeypatch):
    plan(folder)
    monkeypatch.setenv(variable, "2")
    done = call("run", folder / "w.jsonl", "--task", "array", "--json")
    assert json.loads(done.stdout)["output"] == str(folder / "out" / "s2.tif")
    monkeypatch.setenv(variable, "two")
    done = call("run", folder / "w.jsonl", "--task", "array")
    assert done.exit_code == 2
    assert f"{variable}=two is not the number of a task" in done.stderr


def test_the_recipe_for_slurm_calls_each_task_once_and_then_the_index(tmp_path):
    """The commands of docs/scale-out.md, with an sbatch that runs its script immediately."""
    page = (Path(__file__).parents[2] / "docs" / "scale-out.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```sh\n(maps=\$\(sbatch.*?)```", page, re.DOTALL)
    (tmp_path / "work.jsonl").write_text("{}\n" * 3)
    programs = {
        "sbatch": SBATCH,
        "geosrseg": 'echo "$@ ${SLURM_ARRAY_TASK_ID:-none}" >> calls',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-euc", recipe], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "calls").read_text().splitlines() == [
        *(f"run work.jsonl --task array {k}" for k in range(3)), "index maps none",
    ]  # fmt: skip


SBATCH = """
for word in "$@"; do
  case "$word" in
    --array=*) last=${word#--array=0-} ;;
    --dependency=*) test "$word" = --dependency=afterany:77 || exit 1 ;;
  esac
done
if [ -z "$last" ]; then sh -c "$word"; exit; fi
for k in $(seq 0 "$last"); do SLURM_ARRAY_TASK_ID=$k sh -c "$word"; done
echo 77
"""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--task", "array"], 2, "none of SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX,"),
        (["--task", "-1"], 2, "'-1' is not the number of a task"),
        (["--task", "3"], 1, "there is no task 3: expected 0 to 2"),
        (["--shard", "3/2"], 1, "there is no shard 3/2"),
        (["--shard", "2"], 2, "expected I/K, such as 2/8"),
        (["--dask", "tcp://127.0.0.1:1", "--jobs", "2"], 2, "use one of them"),
    ],
)
def test_what_cannot_be_run_is_one_line(folder, words, code, said):
    plan(folder)
    done = call("run", folder / "w.jsonl", *words)
    assert done.exit_code == code
    assert said in done.stderr
