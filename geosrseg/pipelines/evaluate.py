"""Evaluation: models in, the metrics of each out, side by side."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.data.card import SPLITS, DatasetCard
from geosrseg.data.evaluation import Evaluation
from geosrseg.data.evaluation_windows import EvaluationWindows
from geosrseg.data.labelled_scene import open_labelled_scenes
from geosrseg.errors import DatasetError
from geosrseg.runtime.session import Session, open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one model did on one split.

    Attributes:
        model: name and version.
        dataset: name of the dataset.
        split: name of the split.
        upscale_factor: of the model; the images were degraded by it.
        class_names: in the order of the confusion matrix.
        confusion: rows reference, columns prediction.
        psnr: of the SR image, in dB; infinite for native HR input.
    """

    model: str
    dataset: str
    split: str
    upscale_factor: int
    class_names: tuple[str, ...]
    confusion: ConfusionMatrix
    psnr: float

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; what is not a number is null."""
        per_class = (
            ("iou", self.confusion.iou),
            ("producers_accuracy", self.confusion.producers_accuracy),
            ("users_accuracy", self.confusion.users_accuracy),
        )
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "upscale_factor": self.upscale_factor,
            **{name: _finite(value) for name, value in self.confusion.metrics().items()},
            "psnr": _finite(self.psnr),
            **{
                key: dict(zip(self.class_names, map(_finite, values.tolist()), strict=True))
                for key, values in per_class
            },
            "confusion": {
                "rows": "reference",
                "columns": "prediction",
                "classes": list(self.class_names),
                "counts": self.confusion.counts.tolist(),
            },
        }


def evaluate(
    models: Sequence[str | Path],
    card: DatasetCard,
    *,
    split: str = "test",
    device: str = "auto",
    threads: int | None = None,
    on_window: Callable[[str], None] = lambda _: None,
) -> list[Report]:
    """Measure models on the same pixels of a dataset.

    The native images are degraded by each model's factor. What is counted is the map of
    the scene run at once, see `EvaluationWindows`.

    Args:
        models: shipped models' names or ONNX files.
        card: the dataset.
        split: ``train``, ``validation`` or ``test``.
        device: where the models run.
        threads: of the CPU.
        on_window: called with the model's name after each window.

    Raises:
        DatasetError: the data is missing, or has not the model's bands or classes.
        ModelError: a model is refused.
    """
    if split not in SPLITS:
        raise DatasetError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    reports = []
    for model in models:
        with open_session(model, device=device, threads=threads) as session:
            reports.append(_evaluate_one(session, card, split, on_window))
    return reports


def _evaluate_one(
    session: Session, card: DatasetCard, split: str, on_window: Callable[[str], None]
) -> Report:
    spec = session.spec
    if spec.bands != card.bands or spec.legend.ids != card.legend.ids:
        raise DatasetError(
            f"{spec.name} knows bands {', '.join(spec.bands)} and classes "
            f"{', '.join(spec.legend.names)}; dataset {card.name} has bands "
            f"{', '.join(card.bands)} and classes {', '.join(card.legend.names)}"
        )
    counted = Evaluation(ConfusionMatrix.empty(len(spec.legend)))
    with open_labelled_scenes(card, normalization=spec.normalization) as scenes:
        windows = EvaluationWindows(
            scenes,
            split=split,
            upscale_factor=spec.upscale_factor,
            multiple=spec.multiple,
            exact_halo=spec.widest_halo,
        )
        for index in range(len(windows)):
            window = windows[index]
            probabilities, sr = session.run_with_sr(window.lr[None].numpy())
            counted.add(
                window,
                sr=torch.from_numpy(sr[0]),
                probabilities=torch.from_numpy(probabilities[0]),
            )
            on_window(spec.name)
    if not counted.confusion.total:
        raise DatasetError(f"no pixel of split {split!r} in {card.name} has a class")
    return Report(
        model=f"{spec.name} {spec.version}",
        dataset=card.name,
        split=split,
        upscale_factor=spec.upscale_factor,
        class_names=spec.legend.names,
        confusion=counted.confusion,
        psnr=counted.psnr,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
