"""What the further layers of a map cost: `predict` with and without them, in turn.

    python docs/benchmark_layers.py --size 512 --precision fp32 --repeats 3

The paper's network at 4x with random weights, whose time is that of trained ones, maps a
synthetic scene of `size` x `size` LR pixels. Times are of the whole command.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from geosrseg.pipelines.benchmark import make_full
from geosrseg.raster.synthetic_scene import write_synthetic_scene
from geosrseg.runtime.model_file import read_model_file
from geosrseg.runtime.shipped_models import DEFAULT_MODEL, find_model

LAYERS = ("--confidence", "--sr", "--fractions")
CHOICES = {"class map": (), "with --sr": ("--sr",), "with all three": LAYERS}


def seconds_of(command: list[str]) -> float:
    """How long a command takes."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    spec = read_model_file(find_model(DEFAULT_MODEL)).spec
    with tempfile.TemporaryDirectory() as folder:
        model = make_full(DEFAULT_MODEL, Path(folder), window=128).path
        scene, output = Path(folder, "scene.tif"), Path(folder, "map.tif")
        write_synthetic_scene(
            scene,
            height=options.size,
            width=options.size,
            bands=spec.bands,
            normalization=spec.normalization,
        )
        predict = [sys.executable, "-m", "geosrseg", "predict", str(scene), "-o", str(output)]
        predict += ["--model", str(model), "--precision", options.precision, "--overwrite"]
        taken: dict[str, list[float]] = {choice: [] for choice in CHOICES}
        for _ in range(options.repeats):
            for choice, layers in CHOICES.items():
                taken[choice].append(seconds_of([*predict, *layers]))
    plain = median(taken["class map"])
    print("| layers | seconds | times the class map's |", "|---|---|---|", sep="\n")
    for choice, seconds in taken.items():
        middle = median(seconds)
        spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
        print(f"| {choice} | {middle:.1f} ({spread}) | {middle / plain:.3f} |")


if __name__ == "__main__":
    main()
