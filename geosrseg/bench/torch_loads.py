"""Benchmark loads that need PyTorch: networks with random weights, and the yardstick.

The yardstick runs PyTorch like the reference code: eager, NCHW, fp32, batches of one.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.networks.framework import build_network
from geosrseg.networks.halo import exact_halo
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.networks.presets import configure

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def write_random_model(preset: str, like: ModelSpec, window: int, path: Path) -> None:
    """Write the model file of a preset's network with random weights.

    Args:
        preset: a name in `networks.presets.PRESETS`.
        like: the ModelSpec that gives bands, classes and radiometry.
        window: default window size in LR pixels.
    """
    network = random_network(preset, like)
    reach = exact_halo(network)
    spec = replace(
        like,
        name=f"{preset}-{like.upscale_factor}x-random",
        multiple=network.multiple,
        window_size=window,
        halo=like.halo if reach is None else min(like.halo, reach),
        exact_halo=reach,
        measured_halo=None,
        metrics={},
        training_data="none: its weights are random",
        precisions=("fp32",),
    )
    path.write_bytes(build_onnx(network, spec).SerializeToString())


def load_eager(preset: str, like: ModelSpec, window: int, device: str) -> Callable[[], object]:
    """Return a run of a preset's network on one random window, `window` LR pixels square."""
    network = random_network(preset, like).to(device)
    generator = torch.Generator().manual_seed(0)
    lr = torch.rand(1, len(like.bands), window, window, generator=generator)

    def run() -> object:
        with torch.inference_mode():
            _, logits = network(lr.to(device))
            return logits.cpu()

    return run


def load_product(side: int, precision: Precision, device: str) -> Callable[[], object]:
    """Return one product of two square matrices."""
    generator = torch.Generator().manual_seed(0)
    matrices = torch.rand(2, side, side, generator=generator).to(device, TYPES[precision])
    out = torch.empty_like(matrices[0])

    def run() -> object:
        torch.matmul(*matrices, out=out)
        return out[0, 0].item()  # waits for the GPU

    return run


def random_network(preset: str, like: ModelSpec) -> JointNetwork:
    """Return the network of a preset with random weights from a fixed seed."""
    torch.manual_seed(0)
    config, _ = configure(
        preset,
        protocol="hr" if like.upscale_factor == 1 else "end-to-end",
        bands=len(like.bands),
        classes=len(like.legend),
        upscale_factor=like.upscale_factor,
    )
    return build_network(config).eval()
