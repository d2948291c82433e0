"""A run: the folder that training leaves behind.

- ``config.json``: network, recipe, bands, classes and normalization
- ``data.json``: hashes of what it is trained on, see `data_record`
- ``metrics.csv``: losses and validation metrics, one row an epoch
- ``tensorboard/``: the same for TensorBoard; ``panels/``: validation images, on request
- ``logs/``: what further loggers keep on this machine
- ``best.ckpt``, ``last.ckpt``: Lightning checkpoints
- ``weights.safetensors``: the weights that are the result, what `export` reads
- ``validation.json``: their validation metrics, in full precision
"""

import csv
import json
import os
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.pickles import load_pickle
from geosrseg.raster.storage.lock import locked
from geosrseg.regular_file import check_regular, create_new, hash_file, read_regular
from geosrseg.training.run_folder.run_config import RunConfig
from geosrseg.training.run_folder.validation import Validation, best_validation

FILES = (
    "config.json",
    "data.json",
    "metrics.csv",
    "best.ckpt",
    "last.ckpt",
    "validation.json",
    "weights.safetensors",
)
FOLDERS = ("tensorboard", "panels", "logs")
"""With `FILES`, all that a run may leave in its folder."""

LOCK = ".lock"
"""Held while a process trains in the folder."""

DRAFT = ".part"
"""End of the name of a file that is not finished."""

MAX_TEXT = 2**22
"""Bytes of a run's configuration or metrics, which have some kB."""

WRONG_VALUES = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What values raise that no run has written."""

NETWORK_PREFIX = "network."
"""What Lightning's checkpoints put before the names of the network's weights."""


def default_run(card: DatasetCard, network: NetworkConfig) -> Path:
    """``runs/DATASET-PROTOCOL-FACTORx``: the folder of a run that was given none.

    Each fold of a cross-validation has its own, ``-foldIofK`` behind that.
    """
    dataset = re.sub(r"[^\w.]+", "-", card.name).strip("-.") or "dataset"
    fold = "-fold{}of{}".format(*card.fold) if card.fold else ""
    return Path("runs") / f"{dataset}-{network.protocol}-{network.upscale_factor}x{fold}"


def _read_text(path: Path) -> str:
    return read_regular(path, limit=MAX_TEXT).decode("utf-8")


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Yield a temporary path; the file gets its final name once it is whole on the disk."""
    draft = path.with_name(path.name + DRAFT)
    try:
        create_new(draft).close()  # where a link stood, there is a file of ours now
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()  # on a full disk it is in the way
        raise


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder, by its path.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """The configuration."""
        return self.path / "config.json"

    @property
    def data_file(self) -> Path:
        """The record of the data."""
        return self.path / "data.json"

    @property
    def best_checkpoint(self) -> Path:
        """The epoch with the best validation."""
        return self.path / "best.ckpt"

    @property
    def last_checkpoint(self) -> Path:
        """What an interrupted run resumes from."""
        return self.path / "last.ckpt"

    @property
    def metrics_table(self) -> Path:
        """Losses and metrics, one row an epoch."""
        return self.path / "metrics.csv"

    @property
    def panels(self) -> Path:
        """Folder of the validation images."""
        return self.path / "panels"

    @property
    def finished(self) -> bool:
        """The result is there."""
        return self.weights_file.is_file()

    @property
    def weights_file(self) -> Path:
        """The best weights."""
        return self.path / "weights.safetensors"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep other processes from training in it.

        Raises:
            RunError: one is at work there, or the folder cannot be made.
        """
        with ExitStack() as stack:
            try:
                if not self.path.exists():
                    self.path.mkdir(parents=True)
                    stack.callback(self._remove_if_empty)
                stack.enter_context(locked(self.path / LOCK))
            except BlockingIOError as error:
                raise RunError(
                    f"{self.path} is being trained by another process: wait for it, or choose "
                    "another folder"
                ) from error
            except OSError as error:
                raise RunError(f"cannot write to {self.path}: {error.strerror}") from error
            stack.callback((self.path / LOCK).unlink, missing_ok=True)
            yield

    def _remove_if_empty(self) -> None:
        with suppress(OSError):
            self.path.rmdir()

    def weights_sha256(self) -> str:
        """Hash of the best weights, in hexadecimal.

        Raises:
            RunError: the run is not finished.
        """
        try:
            return hash_file(self.weights_file)
        except OSError as error:
            raise RunError(
                f"{self.path} has no {self.weights_file.name}: continue it with --resume"
            ) from error

    def create(self, config: RunConfig, *, overwrite: bool = False) -> None:
        """Make the folder with its configuration.

        Raises:
            RunError: it holds a run already, something else is there, or it cannot be made.
        """
        if self.config_file.exists() and not overwrite:
            raise RunError(
                f"{self.path} holds a run already: choose another, continue it with --resume or "
                "replace it with --overwrite"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            own = {LOCK, *FILES, *(name + DRAFT for name in FILES)}
            own |= set(FOLDERS) if self.config_file.exists() else set()
            if foreign := {file.name for file in self.path.iterdir()} - own:
                raise RunError(
                    f"{self.path} holds {sorted(foreign)[0]}, which is of no run: choose another "
                    "folder"
                )
            self.remove()
            self.path.mkdir(exist_ok=True)
            with drafted(self.config_file) as draft:
                draft.write_text(config.to_json() + "\n", encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot write to {self.path}: {error.strerror}") from error

    def prolong(self, config: RunConfig) -> None:
        """Have the run end behind another number of epochs, or with another patience.

        Args:
            config: as the folder has it, but for these.
        """
        for file in (self.weights_file, self.validation_file):  # not the result any more
            file.unlink(missing_ok=True)
        with drafted(self.config_file) as draft:
            draft.write_text(config.to_json() + "\n", encoding="utf-8")

    def remove(self) -> None:
        """Delete the files of a run, and the folder if nothing else is in it."""
        for name in FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in reversed(FILES):  # the configuration last: what has none is no run
            for file in (self.path / name, self.path / (name + DRAFT)):
                file.unlink(missing_ok=True)
        self._remove_if_empty()

    def config(self) -> RunConfig:
        """The configuration.

        Raises:
            RunError: the folder is no run.
        """
        try:
            return RunConfig.from_json(_read_text(self.config_file))
        except FileNotFoundError as error:
            raise RunError(f"{self.path} is no run: {self.config_file.name} is missing") from error
        except OSError as error:
            raise RunError(f"{self.config_file} cannot be read: {error.strerror}") from error
        except WRONG_VALUES as error:
            raise RunError(f"{self.config_file} is not a run's configuration: {error}") from error

    def check_config(self, expected: RunConfig) -> None:
        """Check that the folder's run is the one to resume.

        The patience may be another, and the number of epochs, but in two stages, where it says
        when the first one ends.

        Raises:
            RunError: it is another, or the folder is no run.
        """
        free = ("patience",) if expected.network.two_stage else ("patience", "epochs")
        found, wanted = json.loads(self.config().to_json()), json.loads(expected.to_json())
        for found_part, wanted_part in (
            (found, wanted),
            (found["network"], wanted["network"]),
            (found["recipe"], wanted["recipe"]),
        ):
            for key, value in wanted_part.items():
                if key not in ("network", "recipe", "domain", *free) and found_part[key] != value:
                    raise RunError(
                        f"{self.path} cannot be continued like this: it was started with {key} "
                        f"{found_part[key]}, not {value}; repeat its command, or --overwrite it"
                    )

    @property
    def validation_file(self) -> Path:
        """The validation metrics of the weights file."""
        return self.path / "validation.json"

    def best_network(self) -> JointNetwork:
        """The network of the best checkpoint, ready to evaluate.

        Raises:
            RunError: the checkpoint is damaged.
        """
        try:
            checkpoint = load_pickle(self.best_checkpoint)
            weights = checkpoint["state_dict"].items()
            network = build_network(self.config().network)
            network.load_state_dict({name.removeprefix(NETWORK_PREFIX): w for name, w in weights})
        except (RuntimeError, UnpicklingError, EOFError, OSError, *WRONG_VALUES) as error:
            raise RunError(
                f"{self.best_checkpoint} is damaged: train again, --overwrite"
            ) from error
        return network.eval()

    def finish(self, network: JointNetwork, validation: Validation) -> None:
        """Keep a network's weights and what they did on the validation data as the result."""
        with drafted(self.validation_file) as draft:
            draft.write_text(validation.to_json() + "\n", encoding="utf-8")
        weights = network.state_dict().items()
        with drafted(self.weights_file) as draft:
            draft.write_bytes(save({name: value.contiguous() for name, value in weights}))

    def validation(self) -> Validation:
        """What the result did on the validation data.

        Of a run that was stopped it is what the table says of the best epoch.

        Raises:
            RunError: no epoch is finished.
        """
        stopped = not self.finished and self.best_checkpoint.is_file()
        file = self.metrics_table if stopped else self.validation_file
        try:
            if stopped:
                return best_validation(file)
            return Validation.from_json(_read_text(file))
        except FileNotFoundError as error:
            raise RunError(f"{self.path} has no {file.name}: continue it with --resume") from error
        except OSError as error:
            raise RunError(f"{file} cannot be read: {error.strerror}") from error
        except (*WRONG_VALUES, csv.Error) as error:
            raise RunError(f"{file} does not hold metrics: {error}") from error

    def network(self) -> JointNetwork:
        """The network with the best weights, ready to evaluate.

        Warns:
            RunWarning: the run was stopped, so these are the best so far.

        Raises:
            RunError: no epoch is finished, or the run's files do not belong together.
        """
        if not self.finished and self.best_checkpoint.is_file():
            warnings.warn(
                f"{self.path} was stopped: its best epoch so far is taken, without the values that "
                "are fitted at the end; train --resume --epochs N ends the run there",
                RunWarning,
                stacklevel=2,
            )
            return self.best_network()
        config = self.config().network
        try:
            check_regular(self.weights_file)
            network = build_network(config)
            network.load_state_dict(load_file(self.weights_file))
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path} has no {self.weights_file.name}: continue it with --resume"
            ) from error
        except (RuntimeError, OSError, SafetensorError, *WRONG_VALUES) as error:
            raise RunError(f"{self.weights_file} is not of this run: {error}") from error
        return network.eval()
