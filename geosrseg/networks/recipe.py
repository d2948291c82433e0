"""Recipe: how a network is trained."""

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
"""Largest strength of a variation, in usual ones."""

AUGMENTATIONS = ("scale", "noise", "haze", "drop")
"""Variations of chips that a recipe may name, see `datasets.augment.variation`."""

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
"""What a preset says of the SR part alone: protocols that do not train one ignore it."""

WARM_UPS = {"step": 0, "cosine": 50}
"""Steps over which a schedule rises to the full learning rate, unless a recipe says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything about a training run except data and network; the defaults are the paper's.

    Attributes:
        alpha: α of the joint loss, on the reconstruction.
        beta: β of the joint loss, on the segmentation.
        gamma: γ of the joint loss, on the segmentation of images labelled on the LR grid.
        teacher_weight: on a teacher's soft labels beside the reference's, where there is one.
        task_weight: on how unlike a teacher reads the SR image and the native one.
        sr_rate: learning rate of the SR part.
        seg_rate: learning rate of the segmentation part.
        sr_decay: weight decay of the SR part.
        seg_decay: weight decay of the segmentation part.
        sr_warm_up: the first of the epochs, in which end to end trains the SR part alone, by
            the reconstruction.
        decoupled: the weight decay does not pass through Adam's scaling (AdamW).
        schedule: ``step`` divides the rates by 10 at half of the steps, ``cosine`` lets
            them fall to zero.
        warm_up: steps over which the rates rise to their full value; None leaves it to the
            schedule, see `WARM_UPS`.
        clip: norm that the gradient of a step is shortened to, where it is longer; 0 leaves it.
        patience: epochs without a better validation after which the run ends; 0 for none.
        epochs: passes, each followed by a validation.
        chips_per_epoch: chips in a pass.
        batch_size: chips that a process runs at once.
        accumulate: such batches in a step.
        devices: processes that train together, each on a device of its own.
        chip_size: HR pixels along each side of a chip.
        quarter_turns: turn chips by 90° too, and not only flip and turn them by 180°.
        class_power: see `ChipConfig`.
        jitter: see `ChipConfig`.
        cutout: see `ChipConfig`.
        augment: of each variation beyond these the strength, 1 for the usual one; by a name of
            `AUGMENTATIONS`.
        loss: the segmentation's losses with the weight of each, see `losses.TERMS`; β is on
            their sum.
        label_smoothing: share of a label that is spread over all classes.
        class_weights: of the loss, one per class; or one number p: (1/share)^p of each class in
            the training data.
        averaging: decay of the moving average of the weights, which is what is validated
            and kept; 0 keeps the weights themselves.
        class_offsets: fit the shares of the classes on the validation data when all is done.
        precision: of the arithmetic; ``bf16`` and ``fp16`` keep the weights in ``fp32``.
            ``auto`` is bf16 where the hardware multiplies it, else fp32; a run's own
            configuration says which it was.
        seed: of all random numbers.
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
            raise ValueError("the weights of losses or classes are all 0: give one above 0")
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
                    f"the strength of `augment` {name} is 0 to {MOST_AUGMENTED:g}, 1 is the usual "
                    f"one, got {strength:g}"
                )

    def weights_of_classes(self, counts: Sequence[int]) -> tuple[float, ...]:
        """The loss's weight of each class; empty where all are alike.

        Args:
            counts: pixels of each class in the training data.
        """
        if len(self.class_weights) == 1:
            return class_weights_from_counts(counts, power=self.class_weights[0])
        return self.class_weights

    @property
    def steps(self) -> int:
        """Optimizer steps that a part is trained for."""
        return self.epochs * self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of an epoch."""
        chips = math.ceil(self.chips_per_epoch / self.devices)
        return math.ceil(math.ceil(chips / self.batch_size) / self.accumulate)

    def sr_steps(self, network: NetworkConfig) -> int:
        """Optimizer steps at the beginning that train the SR part alone."""
        if network.two_stage:
            return self.steps
        return self.sr_warm_up * self.steps_per_epoch if network.trains_sr else 0

    def limited(self, steps: int) -> "Recipe":
        """The same recipe with at most `steps` optimizer steps, in whole epochs.

        The schedule then spans these steps.

        Raises:
            ValueError: there is no step.
        """
        if steps < 1:
            raise ValueError(f"there is 1 step or more, got {steps}")
        if self.steps <= steps:
            return self
        epochs = math.ceil(steps / self.steps_per_epoch)
        chips = steps // epochs * self.devices * self.batch_size * self.accumulate
        warm_up = min(self.sr_warm_up, epochs - 1)
        return replace(self, epochs=epochs, chips_per_epoch=chips, sr_warm_up=warm_up)

    def rate_factor(self, step: int) -> float:
        """Factor on the learning rates at a step."""
        warm_up = WARM_UPS[self.schedule] if self.warm_up is None else self.warm_up
        rise = min(1.0, (step + 1) / warm_up) if warm_up else 1.0
        if self.schedule == "step":
            return rise if step < self.steps / 2 else rise / 10
        return rise * (1 + math.cos(math.pi * min(step / self.steps, 1.0))) / 2

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)
