"""Recipe: the hyperparameters of a training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.losses import TERMS, class_weights_from_counts

Precision = Literal["auto", "fp32", "bf16", "fp16"]
SCHEDULES = ("step", "cosine")
LOSS_WEIGHTS = ("alpha", "beta", "gamma")
COUNTS = ("epochs", "chips_per_epoch", "batch_size", "accumulate", "devices", "chip_size")
NOT_NEGATIVE = (
    *LOSS_WEIGHTS,
    "teacher_weight",
    "task_weight",
    "sr_rate",
    "seg_rate",
    "sr_decay",
    "seg_decay",
    "jitter",
    "clip",
    "warm_up",
    "patience",
)
MOST_AUGMENTED = 3.0
"""Largest strength of an augmentation, relative to the usual one."""

AUGMENTATIONS = ("scale", "noise", "haze", "drop")
"""Names for `Recipe.augment`, see `datasets.augment.variation`."""

SR_VALUES = (
    "sr",
    "sr_rate",
    "sr_decay",
    "sr_warm_up",
    "sr_base",
    "sr_feat",
    "sr_stages",
    "sr_options",
    "residual",
    "task_weight",
)
"""Values that concern the SR part alone; protocols that do not train one ignore them."""

WARM_UPS = {"step": 0, "cosine": 50}
"""Default warm-up of each schedule, in steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything about a training run except data and network; the defaults are the paper's.

    Attributes:
        alpha: α of the joint loss, weight of the reconstruction.
        beta: β of the joint loss, weight of the segmentation.
        gamma: γ of the joint loss, weight of the segmentation for labels on the LR grid.
        teacher_weight: weight of a teacher's soft labels, relative to the reference.
        task_weight: weight of the difference between a teacher's results for the SR image and
            for the native image.
        sr_warm_up: number of first epochs in which end to end trains the SR part alone, by the
            reconstruction loss.
        decoupled: keep the weight decay out of Adam's scaling (AdamW).
        schedule: ``step`` divides the rates by 10 at half of the steps, ``cosine`` lowers them to
            zero.
        warm_up: steps over which the rates rise to their full value; None for the schedule's
            default, see `WARM_UPS`.
        clip: largest norm of a step's gradient; 0 for no limit.
        patience: epochs without a better validation after which the run ends; 0 for no limit.
        epochs: number of passes, each followed by a validation.
        batch_size: chips per batch and process.
        accumulate: batches per optimizer step.
        devices: number of processes that train together, each on its own device.
        chip_size: HR pixels along each side of a chip.
        quarter_turns: also turn chips by 90°, besides flips and turns by 180°.
        class_power: see `ChipConfig`.
        jitter: see `ChipConfig`.
        cutout: see `ChipConfig`.
        augment: strength of each of `AUGMENTATIONS`; 1 is the usual strength.
        loss: weight of each of the segmentation's losses, see `losses.TERMS`; β multiplies
            their sum.
        label_smoothing: share of a label that is spread over all classes.
        class_weights: loss weight of each class; or one number p for (1/share)^p of each class
            in the training data.
        averaging: decay of the moving average of the weights, which is validated and kept; 0
            keeps the weights themselves.
        class_offsets: fit class offsets on the validation data after training.
        precision: precision of the arithmetic; ``bf16`` and ``fp16`` keep the weights in fp32.
            ``auto`` is bf16 if the hardware multiplies it, else fp32; the configuration of a run
            records the choice.
    """

    alpha: float = 0.1
    beta: float = 1000.0
    gamma: float = 1000.0
    teacher_weight: float = 1.0
    task_weight: float = 0.0
    sr_rate: float = 1e-5
    seg_rate: float = 1e-5
    sr_decay: float = 1e-4
    seg_decay: float = 5e-4
    sr_warm_up: int = 0
    decoupled: bool = False
    schedule: str = "step"
    warm_up: int | None = None
    clip: float = 0.0
    patience: int = 0
    epochs: int = 300
    chips_per_epoch: int = 1000
    batch_size: int = 1
    accumulate: int = 1
    devices: int = 1
    chip_size: int = 480
    quarter_turns: bool = False
    class_power: float = 1.0
    jitter: float = 0.0
    cutout: float = 0.0
    augment: Mapping[str, float] = field(default_factory=dict)
    loss: Mapping[str, float] = field(default_factory=lambda: {"ce": 1.0})
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] = ()
    averaging: float = 0.0
    class_offsets: bool = False
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"`schedule` is one of {', '.join(SCHEDULES)}, got {self.schedule}")
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` is at least 1, got {getattr(self, name)}")
        if self.chip_size % 32:
            raise ValueError(f"`chip_size` is a multiple of 32, got {self.chip_size}")
        for name in NOT_NEGATIVE:
            if not 0 <= (getattr(self, name) or 0) < math.inf:
                raise ValueError(f"`{name}` is 0 or more, got {getattr(self, name)}")
        if not 0 <= self.sr_warm_up < self.epochs:
            raise ValueError(
                f"`sr_warm_up` is 0 or more and less than the {self.epochs} epochs, "
                f"got {self.sr_warm_up}"
            )
        self._check_loss()
        self._check_augment()
        if not 0 <= self.averaging < 1:
            raise ValueError(f"`averaging` is 0 or a decay below 1, got {self.averaging}")

    def _check_loss(self) -> None:
        object.__setattr__(self, "loss", dict(self.loss))
        object.__setattr__(self, "class_weights", tuple(self.class_weights))
        known = ", ".join(TERMS)
        if not self.loss or any(name not in TERMS for name in self.loss):
            raise ValueError(f"`loss` is made of {known}, got {', '.join(self.loss) or 'none'}")
        if not all(0 <= weight < math.inf for weight in self.loss.values()):
            raise ValueError(f"the weights of the losses are 0 or more, got {self.loss}")
        by_hand = self.class_weights if len(self.class_weights) > 1 else (1.0,)
        if not (any(self.loss.values()) and any(by_hand)):
            raise ValueError("the weights of losses or classes are all 0: use one above 0")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"`label_smoothing` is 0 to below 1, got {self.label_smoothing}")
        if not all(0 <= weight < math.inf for weight in self.class_weights):
            raise ValueError(f"`class_weights` are 0 or more, got {self.class_weights}")

    def _check_augment(self) -> None:
        object.__setattr__(self, "augment", dict(self.augment))
        for name, strength in self.augment.items():
            if name not in AUGMENTATIONS:
                known = ", ".join(AUGMENTATIONS)
                raise ValueError(f"`augment` takes {known}, got {name or 'none'}")
            if not 0 <= strength <= MOST_AUGMENTED:
                raise ValueError(
                    f"the strength of `augment` {name} is 0 to {MOST_AUGMENTED:g} (usually 1), "
                    f"got {strength:g}"
                )

    def weights_of_classes(self, counts: Sequence[int]) -> tuple[float, ...]:
        """Return the loss weight of each class; empty if all are equal.

        Args:
            counts: pixels of each class in the training data.
        """
        if len(self.class_weights) == 1:
            return class_weights_from_counts(counts, power=self.class_weights[0])
        return self.class_weights

    @property
    def steps(self) -> int:
        """Optimizer steps for which each part is trained."""
        return self.epochs * self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        chips = math.ceil(self.chips_per_epoch / self.devices)
        return math.ceil(math.ceil(chips / self.batch_size) / self.accumulate)

    def sr_steps(self, network: NetworkConfig) -> int:
        """Return the number of first optimizer steps, which train the SR part alone."""
        if network.two_stage:
            return self.steps
        return self.sr_warm_up * self.steps_per_epoch if network.trains_sr else 0

    def limited(self, steps: int) -> "Recipe":
        """Shorten the recipe and its schedule to at most `steps` optimizer steps.

        Raises:
            ValueError: `steps` is less than 1.
        """
        if steps < 1:
            raise ValueError(f"expected 1 step or more, got {steps}")
        if self.steps <= steps:
            return self
        epochs = math.ceil(steps / self.steps_per_epoch)
        chips = steps // epochs * self.devices * self.batch_size * self.accumulate
        warm_up = min(self.sr_warm_up, epochs - 1)
        return replace(self, epochs=epochs, chips_per_epoch=chips, sr_warm_up=warm_up)

    def rate_factor(self, step: int) -> float:
        """Return the factor on the learning rates at a step."""
        warm_up = WARM_UPS[self.schedule] if self.warm_up is None else self.warm_up
        rise = min(1.0, (step + 1) / warm_up) if warm_up else 1.0
        if self.schedule == "step":
            return rise if step < self.steps / 2 else rise / 10
        return rise * (1 + math.cos(math.pi * min(step / self.steps, 1.0))) / 2

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
