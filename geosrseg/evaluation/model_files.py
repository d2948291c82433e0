"""Finds the model files of everything a user may name as a model, run folders included."""

from collections.abc import Sequence
from pathlib import Path

from geosrseg.runtime.shipped_models import SUFFIX, find_model
from geosrseg.training.finishing.export import export


def find_model_files(models: Sequence[str | Path], *, folder: Path) -> list[Path]:
    """Return the model file of each model.

    Runs are exported first, so that the measured file is the one `predict` would use.

    Args:
        models: names of shipped models, model files, or run folders.
        folder: where exported runs are written.

    Raises:
        RunError: a folder is not a finished run.
        ModelError: a model is unknown, or a run's model file is invalid.
    """
    files = []
    for number, model in enumerate(models):
        if not Path(model).is_dir():
            files.append(find_model(model))
            continue
        own = folder / f"run-{number}"
        own.mkdir()
        name = Path(model).resolve().name
        files.append(export(model, own / f"{name}{SUFFIX}", name=name).path)
    return files
