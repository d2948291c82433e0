"""Options that replace the values of a preset; each parameter has the name of its value."""

from collections.abc import Callable
from typing import Any

import click

from geosrseg.errors import RunError
from geosrseg.networks.networks import network_names

COUNT = click.IntRange(min=1)
NOT_NEGATIVE = click.FloatRange(min=0)


class NamedNumbers(click.ParamType[dict[str, float]]):
    """``ce,dice=0.5``: names with numbers, 1 by default."""

    def __init__(self, number: str, example: str) -> None:
        self.name = f"name[={number}],..."
        self._number, self._example = number.upper(), example

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float]:
        terms = {}
        for term in str(value).split(","):
            name, _, weight = term.strip().partition("=")
            try:
                terms[name] = float(weight or 1)
            except ValueError:
                form = f"NAME or NAME={self._number}, such as {self._example}"
                self.fail(f"{term!r}: expected {form}", param, ctx)
        return terms


class Values(click.ParamType[tuple[Any, ...]]):
    """Values separated by commas, each converted by `kind`."""

    name = "values"

    def __init__(self, kind: click.ParamType[Any]) -> None:
        self._kind = kind

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Any, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(self._kind.convert(part.strip(), param, ctx) for part in value.split(","))


class NetworkOption(click.ParamType[tuple[str, str]]):
    """``name=value``, an option of a network."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        option, sign, text = str(value).partition("=")
        if not (option and sign):
            self.fail(f"{value!r}: expected NAME=VALUE, such as width=32", param, ctx)
        return option.replace("-", "_"), text


def _by_name(
    _ctx: click.Context, _param: click.Parameter, values: tuple[tuple[str, str], ...]
) -> dict[str, str] | None:
    return dict(values) or None


def _network_option(part: str) -> Callable[..., Any]:
    return click.option(
        f"--{part}-option",
        f"{part}_options",
        type=NetworkOption(),
        metavar="NAME=VALUE",
        multiple=True,
        callback=_by_name,
        help=f"Option of the network of --{part}; may be repeated.",
    )


WEIGHT_OPTIONS = (
    click.option("--alpha", type=NOT_NEGATIVE, help="Weight of the reconstruction loss."),
    click.option("--beta", type=NOT_NEGATIVE, help="Weight of the segmentation loss."),
    click.option(
        "--gamma",
        type=NOT_NEGATIVE,
        help="Weight of the segmentation loss of images with labels on the LR grid.",
    ),
)

BUDGET_OPTIONS = (
    click.option(
        "--sr",
        metavar="NAME",
        help=f"Super-resolution network: {', '.join(network_names('sr'))}.",
    ),
    click.option(
        "--seg", metavar="NAME", help=f"Segmentation network: {', '.join(network_names('seg'))}."
    ),
    click.option(
        "--joint",
        metavar="NAME",
        help="One network for both SR image and classes, instead of --sr and --seg: "
        f"{', '.join(network_names('joint'))}.",
    ),
    _network_option("sr"),
    _network_option("seg"),
    _network_option("joint"),
    click.option("--epochs", type=COUNT, help="Number of passes, each followed by a validation."),
    click.option("--chips-per-epoch", type=COUNT, help="Chips per pass."),
    click.option(
        "--max-steps",
        type=COUNT,
        help="Maximum optimizer steps per part; limits the number or length of the passes.",
    ),
    click.option("--batch-size", type=COUNT, help="Chips that a device runs at once."),
    click.option("--accumulate", type=COUNT, help="Batches per optimizer step."),
    click.option("--devices", type=COUNT, help="Number of GPUs, or of processes on the CPU."),
    click.option(
        "--crop", "chip_size", type=click.IntRange(min=32), help="Side of a chip, in HR pixels."
    ),
    click.option("--teacher-weight", type=NOT_NEGATIVE, help="Weight of a teacher's soft labels."),
    click.option(
        "--task-weight",
        type=NOT_NEGATIVE,
        help="Weight of the difference between a teacher's outputs for SR and native image.",
    ),
    click.option("--lr", "rate", type=NOT_NEGATIVE, help="Learning rate of both parts."),
    click.option(
        "--sr-rate", type=NOT_NEGATIVE, help="Learning rate of the super-resolution part."
    ),
    click.option("--seg-rate", type=NOT_NEGATIVE, help="Learning rate of the segmentation part."),
    click.option("--sr-decay", type=NOT_NEGATIVE, help="Weight decay of the SR part."),
    click.option("--seg-decay", type=NOT_NEGATIVE, help="Weight decay of the segmentation part."),
    click.option(
        "--sr-warm-up",
        type=click.IntRange(min=0),
        help="First epochs of an end-to-end training that train the SR part alone, with L1.",
    ),
    click.option(
        "--decoupled/--coupled",
        default=None,
        help="Weight decay as in AdamW, or as in Adam, which the paper uses.",
    ),
    click.option(
        "--schedule",
        type=click.Choice(["step", "cosine"]),
        help="Divide the learning rates by 10 halfway, or lower them to zero along a cosine.",
    ),
    click.option(
        "--warm-up",
        type=click.IntRange(min=0),
        help="Steps over which the learning rates rise to their full values.",
    ),
    click.option(
        "--clip", type=NOT_NEGATIVE, help="Largest gradient norm of a step; 0 for no limit."
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=0),
        help="Stop after this many epochs without a better validation; 0 for never.",
    ),
    click.option(
        "--quarter-turns/--no-quarter-turns",
        default=None,
        help="Turn chips by 90° as well, besides flips and turns by 180°.",
    ),
    click.option("--jitter", type=NOT_NEGATIVE, help="Strength of radiometric augmentation."),
    click.option(
        "--cutout",
        type=click.FloatRange(0, 1),
        help="Probability of hiding each of two squares of a chip.",
    ),
    click.option(
        "--augment",
        type=NamedNumbers("strength", "haze=0.5"),
        help="Further augmentations: scale, noise, haze, drop (a band); STRENGTH multiplies the "
        "usual one.",
    ),
    click.option(
        "--class-power",
        type=click.FloatRange(0, 1),
        help="Sample classes by their pixel count to this power; 0 samples all equally.",
    ),
    click.option(
        "--loss",
        type=NamedNumbers("weight", "dice=0.5"),
        help="Losses of the segmentation with their weights: ce, dice, lovasz, focal, boundary.",
    ),
    click.option(
        "--label-smoothing",
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of each label spread over all classes.",
    ),
    click.option(
        "--class-weights",
        type=Values(click.FLOAT),
        metavar="NUMBER,...",
        help="Weight of each class in the loss, or one power p for weights (1/share)^p.",
    ),
    click.option(
        "--averaging",
        type=click.FloatRange(0, 1, max_open=True),
        help="Decay of the moving average of the weights; 0 keeps the weights themselves.",
    ),
    click.option(
        "--class-offsets/--no-class-offsets",
        default=None,
        help="Fit one offset per class on the validation data.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
        help="Arithmetic; the weights stay fp32.  [default: auto, bf16 where the hardware "
        "supports it, else fp32]",
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of all random numbers."),
    click.option("--sr-base", type=COUNT, help="Channels of D-DBPN's units."),
    click.option("--sr-feat", type=COUNT, help="Channels of D-DBPN's first convolution."),
    click.option(
        "--sr-stages", type=click.IntRange(min=2), help="Number of D-DBPN's up-projections."
    ),
    click.option(
        "--residual/--no-residual",
        default=None,
        help="Add the SR network's output to the bicubic image.",
    ),
    click.option("--seg-width", type=float, help="Factor for the channels of SegNet or U-Net."),
    click.option("--seg-dropout", type=float, help="Share of channels dropped in training."),
    click.option(
        "--logits-block",
        "seg_logits_block",
        flag_value=True,
        default=None,
        help="Apply batch norm and ReLU to SegNet's logits, as the reference code does.",
    ),
)

preset_option = click.option(
    "--preset",
    type=click.Choice(["paper", "slim", "compact"]),
    default="paper",
    show_default=True,
    help="Networks and recipe to start from; the other options change them.",
)


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all recipe options; an option that is not given is None."""
    command = budget_options(command)
    for option in reversed(WEIGHT_OPTIONS):
        command = option(command)
    return command


def budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `recipe_options` except the weights of the losses."""
    for option in reversed(BUDGET_OPTIONS):
        command = option(command)
    return command


def given_options(values: dict[str, Any], *, protocol: str) -> dict[str, Any]:
    """The options that were given.

    Raises:
        RunError: an option of the super-resolution part is given for a protocol without one.
    """
    from geosrseg.networks.recipe import SR_VALUES

    given = {name: value for name, value in values.items() if value is not None}
    unused = [name for name in SR_VALUES if name in given]
    if protocol in ("lr", "hr") and unused:
        raise RunError(
            f"`{unused[0]}`: protocol {protocol} has no super-resolution part; leave it out"
        )
    return given
