"""Maps one scene with geosrseg, terratorch's tiled inference and a torchgeo grid of windows.

All run the same weights, random ones of the slim preset, over windows of the same size and
overlap, in turn. terratorch and torchgeo need a separate environment::

    python -m pip install '.[cpu,train]' terratorch torchgeo
    python docs/benchmark_peers.py --size 512 --repeats 5

Neither makes a map larger than the scene. terratorch therefore gets the scene on the target grid,
each pixel repeated, and the network drops the copies. Reading and writing do not count for
terratorch, writing does not for torchgeo.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from geosrseg.bench.process import MeasuredProcess, run_apart
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import Window
from geosrseg.raster.scene import open_scene
from geosrseg.raster.synthetic_scene import write_synthetic_scene
from geosrseg.runtime.devices.devices import DEVICES, find_device
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.shipped_models import find_model

Run = Callable[[], object]


def load_geosrseg(scene: str, model: str, window: int, device: str, precision: str) -> Run:
    """Return a run of `geosrseg.predict`, from file to file."""
    from geosrseg import predict

    output = Path(scene).with_name(f"{device}-{precision}.tif")
    return lambda: predict(
        scene,
        output,
        model=model,
        device=device,
        precision=precision,
        window_size=window,
        overwrite=True,
    )


def load_terratorch(scene: str, spec: ModelSpec, window: int) -> Run:
    """Return a run of terratorch's tiled inference, from an array to labels in memory."""
    import torch
    from terratorch.tasks.tiled_inference import tiled_inference

    network, factor = _network(spec), spec.upscale_factor
    with open_scene(scene, model_bands=spec.bands) as source:
        whole = Window(0, 0, source.grid.height, source.grid.width)
        numbers, _ = source.read(whole)
    lr = torch.from_numpy(numbers.astype("float32"))[None] * 1e-4
    on_target = lr.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    overlap = 2 * spec.halo + spec.multiple

    def forward(chips: torch.Tensor) -> torch.Tensor:
        return network(chips[:, :, ::factor, ::factor])[1]

    return lambda: tiled_inference(
        forward,
        on_target,
        out_channels=len(spec.legend),
        crop=window * factor,
        stride=(window - overlap) * factor,
        delta=spec.halo * factor,
        batch_size=1,
    ).argmax(1)


def load_torchgeo(scene: str, spec: ModelSpec, window: int) -> Run:
    """Return a run of torchgeo's grid of windows, from a file to labels in memory."""
    import torch
    from torchgeo.datasets import RasterDataset
    from torchgeo.samplers import GridGeoSampler

    class Scene(RasterDataset):
        filename_glob = Path(scene).name

    network = _network(spec)
    data = Scene(str(Path(scene).parent))
    stride = window - 2 * spec.halo - spec.multiple
    sampler = GridGeoSampler(data, size=window, stride=stride)

    def run() -> list[torch.Tensor]:
        with torch.inference_mode():
            chips = (data[index]["image"][None] * 1e-4 for index in sampler)
            return [network(chip)[1].argmax(1) for chip in chips]

    return run


def _network(spec: ModelSpec) -> Callable[..., tuple]:
    """Return the network of the model file in PyTorch."""
    from geosrseg.bench.torch_loads import random_network

    return random_network("slim", spec)


def main() -> None:
    """Print one line per program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=512, help="LR pixels along each side")
    parser.add_argument(
        "--window", type=int, default=256, help="LR pixels; halo and ramp are the model's"
    )
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), **vars(arguments))


def measure(folder: Path, *, size: int, window: int, repeats: int) -> None:
    """Run all of them in turn."""
    spec = read_model_file(find_model("gewata-4x")).spec
    scene, model = folder / "scene.tif", folder / "slim.onnx"
    write_synthetic_scene(
        scene, height=size, width=size, bands=spec.bands, normalization=spec.normalization
    )
    write = "geosrseg.bench.torch_loads:write_random_model"
    run_apart("export", write, "slim", spec, window, model)
    processes = {
        f"geosrseg {device} {precision}": MeasuredProcess(
            device,
            "benchmark_peers:load_geosrseg",
            str(scene),
            str(model),
            window,
            device,
            precision,
        )
        for device in DEVICES.names
        if find_device(device).why_not() is None
        for precision in find_device(device).precisions()
    }
    for peer in ("terratorch", "torchgeo"):
        load = f"benchmark_peers:load_{peer}"
        processes[peer] = MeasuredProcess(peer, load, str(scene), spec, window)
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(repeats):
        for name, process in processes.items():
            seconds[name].append(process.seconds())
    pixels = size**2 * spec.upscale_factor**2 / 1e6
    for name, taken in seconds.items():
        peak = (processes[name].peak_bytes() or 0) / 1e9
        rates = (pixels / value for value in (median(taken), max(taken), min(taken)))
        print("{}: {:.3f} HR Mpx/s ({:.3f} to {:.3f}), {:.1f} GB".format(name, *rates, peak))
        processes[name].close()


if __name__ == "__main__":
    main()
