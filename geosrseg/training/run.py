"""A run: the folder that training leaves behind.

- ``config.json``: network, recipe, bands, classes and normalization
- ``metrics.csv``: losses and validation metrics, one row an epoch
- ``tensorboard/``: the same for TensorBoard; ``panels/``: validation images, on request
- ``best.ckpt``, ``last.ckpt``: Lightning checkpoints
- ``weights.safetensors``: the weights that are the result, what `export` reads
- ``validation.json``: their validation metrics, in full precision
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from geosrseg.core.legend import Legend
from geosrseg.core.normalize import Normalization
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import RunError
from geosrseg.networks.framework import EndToEnd, NetworkConfig, build_network
from geosrseg.networks.pickles import load_pickle
from geosrseg.networks.recipe import Recipe
from geosrseg.training.validation import Validation

FILES = (
    "config.json",
    "metrics.csv",
    "best.ckpt",
    "last.ckpt",
    "validation.json",
    "weights.safetensors",
)
FOLDERS = ("tensorboard", "panels")
"""With `FILES`, all that a run may leave in its folder."""

DRAFT = ".part"
"""End of the name of a file that is not finished."""

NETWORK_PREFIX = "network."
"""What Lightning's checkpoints put before the names of the network's weights."""


def default_run(card: DatasetCard, network: NetworkConfig) -> Path:
    """``runs/DATASET-PROTOCOL-FACTORx``: the folder of a run that was given none."""
    dataset = re.sub(r"[^\w.]+", "-", card.name).strip("-.") or "dataset"
    return Path("runs") / f"{dataset}-{network.protocol}-{network.upscale_factor}x"


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A name to write a file under; the file gets its own when all of it is on the disk."""
    draft = path.with_name(path.name + DRAFT)
    yield draft
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What was trained on what, and how.

    Attributes:
        dataset: name of the dataset.
        source: where the data comes from.
        licence: of the data.
        bands: names of the input bands.
        legend: the classes.
        normalization: reflectance to network input.
        network: what was trained.
        recipe: how.
    """

    dataset: str
    source: str
    licence: str
    bands: tuple[str, ...]
    legend: Legend
    normalization: Normalization
    network: NetworkConfig
    recipe: Recipe

    @classmethod
    def of(
        cls,
        card: DatasetCard,
        *,
        normalization: Normalization,
        network: NetworkConfig,
        recipe: Recipe,
    ) -> "RunConfig":
        """The configuration of a run on a dataset."""
        return cls(
            dataset=card.name,
            source=card.source,
            licence=card.licence,
            bands=card.bands,
            legend=card.legend,
            normalization=normalization,
            network=network,
            recipe=recipe,
        )

    def to_json(self) -> str:
        """One JSON object."""
        values = {
            "dataset": self.dataset,
            "source": self.source,
            "licence": self.licence,
            "bands": list(self.bands),
            "legend": self.legend.to_json(),
            "normalization": self.normalization.to_json(),
            "network": self.network.to_json(),
            "recipe": self.recipe.to_json(),
        }
        return json.dumps(values, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "RunConfig":
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: a value is missing or wrong.
        """
        values: dict[str, Any] = json.loads(text)
        return cls(
            dataset=values["dataset"],
            source=values["source"],
            licence=values["licence"],
            bands=tuple(values["bands"]),
            legend=Legend.from_json(values["legend"]),
            normalization=Normalization.from_json(values["normalization"]),
            network=NetworkConfig(**values["network"]),
            recipe=Recipe(**values["recipe"]),
        )

    @property
    def sha256(self) -> str:
        """Hash of the configuration, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


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
    def best_checkpoint(self) -> Path:
        """The epoch with the best validation."""
        return self.path / "best.ckpt"

    @property
    def last_checkpoint(self) -> Path:
        """What an interrupted run goes on from."""
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
            own = {*FILES, *(name + DRAFT for name in FILES)}
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

    def remove(self) -> None:
        """Delete the files of a run, and the folder if nothing else is in it."""
        for name in FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in reversed(FILES):  # the configuration last: what has none is no run
            for file in (self.path / name, self.path / (name + DRAFT)):
                file.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def config(self) -> RunConfig:
        """The configuration.

        Raises:
            RunError: the folder is no run.
        """
        try:
            return RunConfig.from_json(self.config_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunError(f"{self.path} is no run: {self.config_file.name} is missing") from error
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.config_file} is not a run's configuration: {error}") from error

    def check_config(self, expected: RunConfig) -> None:
        """See that the folder's run is the one that is to go on.

        Raises:
            RunError: it is another, or the folder is no run.
        """
        found, wanted = json.loads(self.config().to_json()), json.loads(expected.to_json())
        for found_part, wanted_part in (
            (found, wanted),
            (found["network"], wanted["network"]),
            (found["recipe"], wanted["recipe"]),
        ):
            for key, value in wanted_part.items():
                if key not in ("network", "recipe") and found_part[key] != value:
                    raise RunError(
                        f"{self.path} cannot be continued like this: it was begun with {key} "
                        f"{found_part[key]}, not {value}; repeat its command, or --overwrite it"
                    )

    @property
    def validation_file(self) -> Path:
        """The validation metrics of the weights file."""
        return self.path / "validation.json"

    def best_network(self) -> EndToEnd:
        """The network of the best checkpoint, ready to evaluate."""
        checkpoint = load_pickle(self.best_checkpoint)
        weights = checkpoint["state_dict"].items()
        network = build_network(self.config().network)
        network.load_state_dict({name.removeprefix(NETWORK_PREFIX): w for name, w in weights})
        return network.eval()

    def finish(self, network: EndToEnd, validation: Validation) -> None:
        """Keep a network's weights and what they did on the validation data as the result."""
        with drafted(self.validation_file) as draft:
            draft.write_text(validation.to_json() + "\n", encoding="utf-8")
        weights = network.state_dict().items()
        with drafted(self.weights_file) as draft:
            save_file({name: value.contiguous() for name, value in weights}, draft)

    def validation(self) -> Validation:
        """What the weights file did on the validation data.

        Raises:
            RunError: the run is not finished.
        """
        file = self.validation_file
        try:
            return Validation.from_json(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunError(f"{self.path} has no {file.name}: continue it with --resume") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{file} does not hold metrics: {error}") from error

    def network(self) -> EndToEnd:
        """The network with the best weights, ready to evaluate.

        Raises:
            RunError: the run is not finished, or its files do not belong together.
        """
        network = build_network(self.config().network)
        try:
            network.load_state_dict(load_file(self.weights_file))
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path} has no {self.weights_file.name}: continue it with --resume"
            ) from error
        except (RuntimeError, SafetensorError) as error:
            raise RunError(f"{self.weights_file} is not of this run: {error}") from error
        return network.eval()
