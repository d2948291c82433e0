"""Measures what further layers of a map cost: `predict` with and without them, in turn.

    python docs/benchmark_layers.py --size 512 --precision fp32 --repeats 3

The paper's network at 4x maps a synthetic scene of `size` x `size` LR pixels. Its weights are
random, which does not change the time. Times are those of the whole command.
"""

import argparse
import tempfile
from pathlib import Path

from geosrseg.bench.benchmark import make_full
from geosrseg.bench.command import run_predict
from geosrseg.core.timing import Timing
from geosrseg.raster.synthetic_scene import write_synthetic_scene
from geosrseg.runtime.model.model_file import read_model_file

CHOICES = {
    "class map": (),
    "with --sr": ("sr",),
    "with all three": ("confidence", "sr", "fractions"),
}


def main() -> None:
    """Print one row per choice of layers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512, help="LR pixels along each side")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        timings = measure(Path(folder), **vars(arguments))
    plain = timings["class map"].median
    print("| layers | seconds | times the class map's |", "|---|---|---|", sep="\n")
    for choice, timing in timings.items():
        low, high = min(timing.seconds), max(timing.seconds)
        middle = timing.median
        print(f"| {choice} | {middle:.1f} ({low:.1f} to {high:.1f}) | {middle / plain:.3f} |")


def measure(folder: Path, *, size: int, precision: str, repeats: int) -> dict[str, Timing]:
    """Run all choices in turn."""
    model = make_full("gewata-4x", folder, window=128).path
    spec = read_model_file(model).spec
    scene = folder / "scene.tif"
    write_synthetic_scene(
        scene, height=size, width=size, bands=spec.bands, normalization=spec.normalization
    )
    seconds: dict[str, list[float]] = {choice: [] for choice in CHOICES}
    for _ in range(repeats):
        for choice, layers in CHOICES.items():
            run = run_predict(
                scene,
                folder / "map.tif",
                model=model,
                device="auto",
                precision=precision,
                layers=layers,
            )
            seconds[choice].append(run.seconds)
    return {choice: Timing(tuple(taken)) for choice, taken in seconds.items()}


if __name__ == "__main__":
    main()
