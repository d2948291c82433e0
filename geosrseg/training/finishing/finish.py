"""Finishing: turns the best checkpoint into the run's result, with its metrics."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from geosrseg.errors import RunWarning
from geosrseg.networks.joint import JointNetwork
from geosrseg.training.finishing.class_offsets import fit_class_offsets
from geosrseg.training.finishing.pixel_sample import PixelSample
from geosrseg.training.finishing.temperature import search_temperature
from geosrseg.training.run_folder.run import Run
from geosrseg.training.run_folder.validation import Validation
from geosrseg.training.validating.evaluation_windows import EvaluationWindow, EvaluationWindows
from geosrseg.training.validating.source_scores import SourceScores


def finish_run(run: Run, windows: EvaluationWindows, *, device: torch.device) -> None:
    """Fit class offsets (optional) and temperature, measure the network and write the result.

    The network runs in fp32, even if trained in another precision. Calling this again gives the
    same result.

    Warns:
        RunWarning: the network's logits cannot be shifted, so it gets no class offsets.

    Args:
        run: a run with a best checkpoint.
        windows: windows of the validation data; if empty, the result has no metrics.
        device: device that runs the network.
    """
    config, network = run.config(), run.best_network().to(device)
    if not len(windows):
        run.finish(network, Validation())
        return
    samples = _sample(network, windows, device)
    if config.recipe.class_offsets and "seg" not in config.freeze:
        _add_class_offsets(network, samples, device)
    temperature = search_temperature(
        lambda value: float(np.mean([sample.loss(value) for sample in samples]))
    )
    before, done = (SourceScores(config.legend, temperature=value) for value in (1.0, temperature))
    for window, sr, logits in _run_windows(network, windows, device):
        before.add(window, sr=sr, logits=logits)
        done.add(window, sr=sr, logits=logits)
    metrics = {
        **done.metrics(),
        "calibration_error_before": before.calibration_error,
        "calibration_error": done.calibration_error,
    }
    confusion = tuple(map(tuple, done.confusion.counts.tolist()))
    run.finish(network, Validation(metrics, temperature, confusion))


def _add_class_offsets(
    network: JointNetwork, samples: Sequence[PixelSample], device: torch.device
) -> None:
    """Fit offsets to the samples, and add them to the network and to the samples."""
    scores = np.concatenate([sample.scores() for sample in samples], axis=1)
    offsets = fit_class_offsets(scores, np.concatenate([s.reference for s in samples]))
    try:
        network.shift_logits(torch.from_numpy(offsets).to(device))
    except TypeError as error:  # offsets are not worth losing a trained network
        warnings.warn(
            f"no class offsets were added ({error}): the result is the network as trained, as "
            "with --no-class-offsets",
            RunWarning,
            stacklevel=3,
        )
        return
    for sample in samples:
        sample.shift(offsets)


def _run_windows(
    network: JointNetwork, windows: EvaluationWindows, device: torch.device
) -> Iterator[tuple[EvaluationWindow, Tensor, Tensor]]:
    """Yield each window with its SR image and logits, (channels, height, width), on the host."""
    for index in range(len(windows)):
        window = windows[index]
        with torch.inference_mode():
            sr, logits = network(window.lr[None].to(device))
        yield window, sr[0].cpu(), logits[0].cpu()


def _sample(
    network: JointNetwork, windows: EvaluationWindows, device: torch.device
) -> list[PixelSample]:
    """Draw random samples of the counted pixels, one for each grid of the labels."""
    samples: dict[int, PixelSample] = {}
    for window, _, logits in _run_windows(network, windows, device):
        core = logits[:, window.core.rows, window.core.cols].numpy()
        side = window.label_pixels
        sample = samples.setdefault(side, PixelSample(len(core), side))
        sample.add(core, window.target.numpy())
    return [*samples.values()]
