"""Measures a training step of geosrseg against the reference code's loop, side by side.

    python docs/training_speed.py --crop 256 --steps 3

Both train the same full networks at 4x, three bands, six classes, with the same loss and batches
of one chip. The reference is PyTorch eager, NCHW, fp32, with one optimizer per part. Ours is a
step of `geosrseg train`. The ways take turns in separate processes, because the allocator is set
for a whole process.
"""

import argparse
import statistics
import subprocess
import sys
import time
from itertools import pairwise

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import DataLoader

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.networks.framework import EndToEnd, NetworkConfig, build_network
from geosrseg.networks.losses import JointLoss
from geosrseg.networks.recipe import Recipe
from geosrseg.training.joint_training import JointTraining
from geosrseg.training.machine.allocator import keep_freed_memory
from geosrseg.training.train import PRECISIONS

WAYS = ("reference", "fp32", "bf16")


def measure(way: str, crop: int, steps: int) -> list[float]:
    """Return the seconds of each step but the first, in this process."""
    torch.manual_seed(0)
    network = build_network(
        NetworkConfig(protocol="end-to-end", bands=3, classes=6, upscale_factor=4)
    )
    batch = (
        torch.rand(1, 3, crop // 4, crop // 4),
        torch.rand(1, 3, crop, crop),
        torch.randint(0, 6, (1, crop, crop)),
        torch.ones(1, crop, crop, dtype=torch.bool),
    )
    if way == "reference":
        begun = run_reference(network, batch, steps + 1)
    else:
        begun = run_ours(network, batch, steps + 1, way=way)
    return [after - before for before, after in pairwise(begun[1:])]


def run_reference(network: EndToEnd, batch: tuple[Tensor, ...], steps: int) -> list[float]:
    """Return the start times of the steps of the reference's loop, and the end of the last."""
    lr, hr, target, trained = batch
    loss = JointLoss(alpha=0.1, beta=1000)
    optimizers = [
        torch.optim.Adam(network.sr.parameters(), lr=1e-5, weight_decay=1e-4),
        torch.optim.Adam(network.seg.parameters(), lr=1e-5, weight_decay=5e-4, betas=(0.9, 0.99)),
    ]
    begun = []
    for _ in range(steps):
        begun.append(time.perf_counter())
        for optimizer in optimizers:
            optimizer.zero_grad()
        sr, logits = network(lr)
        loss(sr, logits, hr=hr, target=target, trained=trained)[0].backward()
        for optimizer in optimizers:
            optimizer.step()
    return [*begun, time.perf_counter()]


def run_ours(network: EndToEnd, batch: tuple[Tensor, ...], steps: int, *, way: str) -> list[float]:
    """Return the start times of the steps of our training, and the end of the last."""

    class Clock(Callback):
        def on_train_batch_start(self, *_: object) -> None:
            begun.append(time.perf_counter())

    begun: list[float] = []
    keep_freed_memory()
    legend = Legend(tuple(LegendClass(k, f"class {k}", "#000000") for k in range(6)))
    module = JointTraining(network, recipe=Recipe(epochs=1, chips_per_epoch=steps), legend=legend)
    trainer = L.Trainer(
        max_epochs=1,
        accelerator="cpu",
        precision=PRECISIONS[way],
        callbacks=[Clock()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader([batch] * steps, batch_size=None))
    return [*begun, time.perf_counter()]


def main() -> None:
    """Print a table with one row per way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--crop", type=int, default=256, help="HR pixels of the chip")
    parser.add_argument("--steps", type=int, default=3, help="steps of a turn, the first excluded")
    parser.add_argument("--turns", type=int, default=2, help="turns of each way")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(*measure(options.way, options.crop, options.steps))
        return
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(options.turns):
        for way in WAYS:
            words = ["--way", way, "--crop", str(options.crop), "--steps", str(options.steps)]
            done = subprocess.run(
                [sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE, text=True
            )
            seconds[way] += [float(word) for word in done.stdout.split()]
    print("| way | seconds a step | times the reference |\n|---|---|---|")
    for way in WAYS:
        median = statistics.median(seconds[way])
        faster = statistics.median(seconds["reference"]) / median
        print(f"| {way} | {median:.2f} | {faster:.2f} |")


if __name__ == "__main__":
    main()
