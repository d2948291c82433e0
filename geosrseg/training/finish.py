"""Finishing: the best checkpoint becomes the run's result, with its metrics."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA
from geosrseg.networks.framework import EndToEnd
from geosrseg.training.calibration import calibration_error, fit_temperature
from geosrseg.training.class_offsets import fit_class_offsets
from geosrseg.training.evaluation_windows import EvaluationWindow, EvaluationWindows
from geosrseg.training.joint_training import metrics_of
from geosrseg.training.run import Run
from geosrseg.training.validation import Validation
from geosrseg.training.validation_scores import Evaluation

FITTED_PIXELS = 500_000
"""Validation pixels that class offsets and temperature are fitted on, at the most."""


def finish_run(run: Run, windows: EvaluationWindows, *, device: torch.device) -> None:
    """Fit offsets (if wanted) and temperature of the best checkpoint, measure it, keep it.

    It is measured in fp32, whatever it was trained in. Done again, it gives the same.

    Args:
        run: a run with its best checkpoint.
        windows: of the validation; none leaves the result without metrics.
        device: where the network runs.
    """
    config, network = run.config(), run.best_network().to(device)
    if not len(windows):
        run.finish(network, Validation())
        return
    logits, reference = _logits_and_reference(network, windows, device)
    if config.recipe.class_offsets:
        offsets = fit_class_offsets(logits, reference)
        network.shift_logits(torch.from_numpy(offsets).to(device))
        logits += offsets[:, None]
    temperature, calibration = _calibrate(logits, reference)
    done = Evaluation(ConfusionMatrix.empty(config.network.classes))
    for window, sr, window_logits in _run_windows(network, windows, device):
        done.add(window, sr=sr, probabilities=window_logits)
    metrics = {**metrics_of(done, config.legend), **calibration}
    confusion = tuple(map(tuple, done.confusion.counts.tolist()))
    run.finish(network, Validation(metrics, temperature, confusion))


def _calibrate(
    logits: NDArray[np.float32], reference: NDArray[np.uint8]
) -> tuple[float, dict[str, float]]:
    """The temperature, and the expected calibration error without and with it."""
    scaled = torch.from_numpy(logits)
    probabilities = scaled.softmax(0).numpy()
    temperature = fit_temperature(probabilities, reference)
    correct = probabilities.argmax(0) == reference
    calibrated = (scaled / temperature).softmax(0).numpy()
    return temperature, {
        "calibration_error_before": calibration_error(probabilities.max(0), correct),
        "calibration_error": calibration_error(calibrated.max(0), correct),
    }


def _run_windows(
    network: EndToEnd, windows: EvaluationWindows, device: torch.device
) -> Iterator[tuple[EvaluationWindow, Tensor, Tensor]]:
    """Each window with its SR image and logits, (channels, height, width), on the host."""
    for index in range(len(windows)):
        window = windows[index]
        with torch.inference_mode():
            sr, logits = network(window.lr[None].to(device))
        yield window, sr[0].cpu(), logits[0].cpu()


def _logits_and_reference(
    network: EndToEnd, windows: EvaluationWindows, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """(classes, pixels) and (pixels,) of a random sample of all counted pixels.

    Every pixel draws a number, and those with the smallest are kept.
    """
    generator = np.random.default_rng(0)
    numbers, columns, references = np.empty(0), None, np.empty(0, np.uint8)
    for window, _, logits in _run_windows(network, windows, device):
        target = window.target.numpy().ravel()
        counted = target != NODATA
        more = logits[:, window.core.rows, window.core.cols].flatten(1).numpy()[:, counted]
        columns = more if columns is None else np.concatenate([columns, more], axis=1)
        references = np.concatenate([references, target[counted]])
        numbers = np.concatenate([numbers, generator.random(more.shape[1])])
        smallest = np.argsort(numbers)[:FITTED_PIXELS]
        columns, references = columns[:, smallest], references[smallest]
        numbers = numbers[smallest]
    if columns is None:
        raise ValueError("no window to fit anything on")
    return columns, references
