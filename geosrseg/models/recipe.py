"""Recipe: how a network is trained, and the presets."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal

from geosrseg.models.framework import NetworkConfig

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
SCHEDULES = ("step", "cosine")
WARM_UP = 50
"""Steps over which the cosine schedule rises to the full learning rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything about a training run except data and network; the defaults are the paper's.

    Attributes:
        alpha: α of the joint loss, on the reconstruction.
        beta: β of the joint loss, on the segmentation.
        sr_rate: learning rate of the SR part.
        seg_rate: learning rate of the segmentation part.
        sr_decay: weight decay of the SR part.
        seg_decay: weight decay of the segmentation part.
        decoupled: the weight decay does not pass through Adam's scaling (AdamW).
        schedule: ``step`` divides the rates by 10 at half of the steps, ``cosine`` lets
            them fall to zero.
        epochs: passes, each followed by a validation.
        chips_per_epoch: chips in a pass.
        batch_size: chips a step.
        chip_size: HR pixels along each side of a chip.
        class_power: see `ChipConfig`.
        jitter: see `ChipConfig`.
        cutout: see `ChipConfig`.
        averaging: decay of the moving average of the weights, which is what is validated
            and kept; 0 keeps the weights themselves.
        class_offsets: fit the shares of the classes on the validation data when all is done.
        precision: ``32-true``, ``bf16-mixed`` or ``16-mixed``, in Lightning's words.
        seed: of all random numbers.
    """

    alpha: float = 0.1
    beta: float = 1000.0
    sr_rate: float = 1e-5
    seg_rate: float = 1e-5
    sr_decay: float = 1e-4
    seg_decay: float = 5e-4
    decoupled: bool = False
    schedule: str = "step"
    epochs: int = 300
    chips_per_epoch: int = 1000
    batch_size: int = 1
    chip_size: int = 480
    class_power: float = 1.0
    jitter: float = 0.0
    cutout: float = 0.0
    averaging: float = 0.0
    class_offsets: bool = False
    precision: Precision = "32-true"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"the schedule is one of {', '.join(SCHEDULES)}, got {self.schedule}")
        for name in ("epochs", "chips_per_epoch", "batch_size", "chip_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, got {getattr(self, name)}")
        if self.chip_size % 32:
            raise ValueError(f"the chip size is a multiple of 32, got {self.chip_size}")
        for name in ("alpha", "beta", "sr_rate", "seg_rate", "sr_decay", "seg_decay", "jitter"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is 0 or more, got {getattr(self, name)}")
        if not 0 <= self.averaging < 1:
            raise ValueError(f"averaging is 0 or a decay below 1, got {self.averaging}")

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.epochs * math.ceil(self.chips_per_epoch / self.batch_size)

    def rate_factor(self, step: int) -> float:
        """Factor on the learning rates at a step."""
        if self.schedule == "step":
            return 1.0 if step < self.steps / 2 else 0.1
        rise = min(1.0, (step + 1) / WARM_UP)
        return rise * (1 + math.cos(math.pi * min(step / self.steps, 1.0))) / 2

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A recipe with the network it is made for.

    Attributes:
        recipe: how to train.
        options: of the networks, by a network's name.
        residual: see `NetworkConfig`.
    """

    recipe: Recipe
    options: Mapping[str, Mapping[str, Any]]
    residual: bool


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # Section 3.3 and 4.2 of the paper.
        "paper": Preset(recipe=Recipe(), options=MappingProxyType({}), residual=False),
        # A nineteenth of the parameters, from scratch, in minutes on two cores.
        "slim": Preset(
            recipe=Recipe(
                alpha=1.0,
                beta=1.0,
                sr_rate=1e-4,
                seg_rate=1e-3,
                sr_decay=1e-2,
                seg_decay=5e-2,
                decoupled=True,
                schedule="cosine",
                epochs=16,
                chips_per_epoch=1000,
                batch_size=8,
                chip_size=192,
                class_power=0.0,
                jitter=0.05,
                cutout=0.5,
                averaging=0.99,
                class_offsets=True,
                precision="bf16-mixed",
            ),
            options=MappingProxyType(
                {
                    "dbpn": {"base": 16, "feat": 64, "stages": 3},
                    "segnet": {"width": 0.25, "dropout": 0.3},
                    "unet": {"width": 0.25, "dropout": 0.3},
                }
            ),
            residual=True,
        ),
    }
)


def configure(
    preset: str,
    *,
    protocol: str,
    bands: int,
    classes: int,
    upscale_factor: int,
    replaced: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[NetworkConfig, Recipe]:
    """Network and recipe of a preset, with some values replaced.

    Args:
        preset: a name in `PRESETS`.
        protocol: see `NetworkConfig`.
        bands: input bands.
        classes: output classes.
        upscale_factor: target pixels per source pixel along each axis.
        replaced: by name, fields of `Recipe`; ``sr``, ``seg`` and ``residual``; and
            options of the networks, such as ``sr_stages`` and ``seg_width``.

    Raises:
        ValueError: a value is out of range.
    """
    base = PRESETS[preset]
    of_recipe = {item.name for item in fields(Recipe)}
    recipe = replace(base.recipe, **{k: v for k, v in replaced.items() if k in of_recipe})
    network = {k: v for k, v in replaced.items() if k not in of_recipe}
    sr, seg = str(network.pop("sr", "dbpn")), str(network.pop("seg", "segnet"))
    residual = bool(network.pop("residual", base.residual))
    config = NetworkConfig(
        protocol=protocol,
        bands=bands,
        classes=classes,
        upscale_factor=upscale_factor,
        sr=sr,
        sr_options=dict(base.options.get(sr, {})) | _options_of("sr", network),
        seg=seg,
        seg_options=dict(base.options.get(seg, {})) | _options_of("seg", network),
        residual=residual,
    )
    if network:
        raise ValueError(f"neither recipe nor networks have {sorted(network)[0]}")
    return config, recipe


def _options_of(part: str, replaced: dict[str, Any]) -> dict[str, Any]:
    """Take out what begins with the part's name, without it."""
    names = [name for name in replaced if name.startswith(f"{part}_")]
    return {name.removeprefix(f"{part}_"): replaced.pop(name) for name in names}
