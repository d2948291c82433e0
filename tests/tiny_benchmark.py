"""A benchmark whose figures can be checked in the head."""

from geosrseg.bench.command import CommandRun
from geosrseg.bench.machine import describe_machine
from geosrseg.bench.result import (
    Benchmark,
    CommandResult,
    NetworkResult,
    ProductResult,
)
from geosrseg.core.timing import Timing


def make_benchmark() -> Benchmark:
    """A window of 10 x 10 LR pixels at 4x: 1600 HR pixels; PyTorch does 400 of them a second."""
    return Benchmark(
        date="2026-01-01T00:00:00+00:00",
        machine=describe_machine(),
        model="tiny 1",
        upscale_factor=4,
        window=10,
        multiply_adds=500,
        scene=(20, 30),
        products=(
            ProductResult("numpy", "cpu", "fp32", 1000, Timing((2.0,))),
            ProductResult("torch", "cpu", "fp32", 4000, Timing((2.0, 1.0, 4.0))),
        ),
        networks=(
            NetworkResult("openvino", "cpu", "fp32", Timing((1.0,)), 10**9),
            NetworkResult("openvino", "cpu", "bf16", Timing((0.5,)), None),
            NetworkResult("pytorch", "cpu", "fp32", Timing((4.0,)), 2 * 10**9),
        ),
        commands=(
            CommandResult(
                "openvino",
                "fp32",
                (CommandRun(12.0, 10.0, 5), CommandRun(8.0, 4.0, 7), CommandRun(11.0, 10.0, 6)),
            ),
        ),
        missing={"cuda": "no GPU"},
    )
