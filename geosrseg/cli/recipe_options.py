"""Options that replace a value of a preset; each is named like what it replaces."""

from collections.abc import Callable
from typing import Any

import click

from geosrseg.errors import RunError
from geosrseg.networks.networks import network_names

COUNT = click.IntRange(min=1)
NOT_NEGATIVE = click.FloatRange(min=0)


class NamedNumbers(click.ParamType[dict[str, float]]):
    """``ce,dice=0.5``: names, each with a number or 1."""

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
                wanted = f"NAME or NAME={self._number}, such as {self._example}"
                self.fail(f"{term!r}: expected {wanted}", param, ctx)
        return terms


class ClassWeights(click.ParamType[tuple[float, ...]]):
    """``1,2.5,4``, or one number."""

    name = "number,..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        try:
            return tuple(float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: expected numbers with commas between them", param, ctx)


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
        help=f"An option of the network of --{part}; may be given several times.",
    )


WEIGHT_OPTIONS = (
    click.option("--alpha", type=NOT_NEGATIVE, help="Weight of the reconstruction loss."),
    click.option("--beta", type=NOT_NEGATIVE, help="Weight of the segmentation loss."),
    click.option(
        "--gamma", type=NOT_NEGATIVE, help="That of images whose labels lie on the LR grid."
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
        help="One network that gives SR image and classes, in place of --sr and --seg: "
        f"{', '.join(network_names('joint'))}.",
    ),
    _network_option("sr"),
    _network_option("seg"),
    _network_option("joint"),
    click.option("--epochs", type=COUNT, help="Passes, each with a validation."),
    click.option("--chips-per-epoch", type=COUNT, help="Chips in a pass."),
    click.option(
        "--max-steps",
        type=COUNT,
        help="Most optimizer steps of a part; it takes fewer or shorter passes then.",
    ),
    click.option("--batch-size", type=COUNT, help="Chips that a device runs at once."),
    click.option("--accumulate", type=COUNT, help="Batches in an optimizer step."),
    click.option("--devices", type=COUNT, help="GPUs, or processes on the CPU."),
    click.option("--crop", "chip_size", type=click.IntRange(min=32), help="HR pixels of a chip."),
    click.option("--teacher-weight", type=NOT_NEGATIVE, help="Weight of a teacher's soft labels."),
    click.option(
        "--task-weight",
        type=NOT_NEGATIVE,
        help="Weight of how unlike a teacher reads SR and native image.",
    ),
    click.option("--lr", "rate", type=NOT_NEGATIVE, help="Learning rate of both parts."),
    click.option("--sr-rate", type=NOT_NEGATIVE, help="That of the super-resolution part."),
    click.option("--seg-rate", type=NOT_NEGATIVE, help="That of the segmentation part."),
    click.option("--sr-decay", type=NOT_NEGATIVE, help="Weight decay of the SR part."),
    click.option("--seg-decay", type=NOT_NEGATIVE, help="Weight decay of the segmentation part."),
    click.option(
        "--sr-warm-up",
        type=click.IntRange(min=0),
        help="The first epochs, in which end to end trains the SR part alone, by L1.",
    ),
    click.option(
        "--decoupled/--coupled",
        default=None,
        help="AdamW's weight decay, or Adam's that the paper uses.",
    ),
    click.option(
        "--schedule",
        type=click.Choice(["step", "cosine"]),
        help="Learning rates divided by 10 at half, or falling to zero.",
    ),
    click.option(
        "--warm-up",
        type=click.IntRange(min=0),
        help="Steps over which the rates rise to their full value.",
    ),
    click.option(
        "--clip", type=NOT_NEGATIVE, help="Longest gradient of a step, as its norm; 0 for any."
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=0),
        help="End after so many epochs without a better validation; 0 for never.",
    ),
    click.option(
        "--quarter-turns/--no-quarter-turns",
        default=None,
        help="Turn chips by 90° too, and not only flip and turn them by 180°.",
    ),
    click.option("--jitter", type=NOT_NEGATIVE, help="Radiometric augmentation."),
    click.option(
        "--cutout", type=click.FloatRange(0, 1), help="Probability of each of two hidden squares."
    ),
    click.option(
        "--augment",
        type=NamedNumbers("strength", "haze=0.5"),
        help="Further augmentation, each usual or so many times as strong: scale, noise, haze, "
        "drop (a band).",
    ),
    click.option(
        "--class-power",
        type=click.FloatRange(0, 1),
        help="Draw a class with its pixel count to this power: 0 draws all classes alike.",
    ),
    click.option(
        "--loss",
        type=NamedNumbers("weight", "dice=0.5"),
        help="Losses of the segmentation, each with its weight: ce, dice, lovasz, focal.",
    ),
    click.option(
        "--label-smoothing",
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of a label that is spread over all classes.",
    ),
    click.option(
        "--class-weights",
        type=ClassWeights(),
        help="Weight of each class in the loss, or a power p: (1/share)^p.",
    ),
    click.option(
        "--averaging",
        type=click.FloatRange(0, 1, max_open=True),
        help="Decay of the moving average of the weights; 0 keeps the weights themselves.",
    ),
    click.option(
        "--class-offsets/--no-class-offsets",
        default=None,
        help="Fit the shares of the classes on the validation data.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
        help="Arithmetic; the weights stay fp32.  [default: auto, bf16 where the hardware "
        "multiplies it, else fp32]",
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of all random numbers."),
    click.option("--sr-base", type=COUNT, help="Channels of D-DBPN's units."),
    click.option("--sr-feat", type=COUNT, help="Channels of D-DBPN's first convolution."),
    click.option("--sr-stages", type=click.IntRange(min=2), help="D-DBPN's up-projections."),
    click.option(
        "--residual/--no-residual",
        default=None,
        help="Let the SR network add to the bicubic image.",
    ),
    click.option("--seg-width", type=float, help="Factor on SegNet's or U-Net's channels."),
    click.option("--seg-dropout", type=float, help="Channels left out while training."),
    click.option(
        "--logits-block",
        "seg_logits_block",
        flag_value=True,
        default=None,
        help="Batch norm and ReLU on SegNet's logits, as in the reference code.",
    ),
)

preset_option = click.option(
    "--preset",
    type=click.Choice(["paper", "slim", "compact"]),
    default="paper",
    show_default=True,
    help="Networks and recipe that the other options change.",
)


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all of these options; options not given are None."""
    command = budget_options(command)
    for option in reversed(WEIGHT_OPTIONS):
        command = option(command)
    return command


def budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Those of `recipe_options` that are not the weights of the losses."""
    for option in reversed(BUDGET_OPTIONS):
        command = option(command)
    return command


def given_options(values: dict[str, Any], *, protocol: str) -> dict[str, Any]:
    """Those that were given.

    Raises:
        RunError: one of the super-resolution part, for a protocol that has none.
    """
    from geosrseg.networks.recipe import SR_VALUES

    given = {name: value for name, value in values.items() if value is not None}
    unused = [name for name in SR_VALUES if name in given]
    if protocol in ("lr", "hr") and unused:
        raise RunError(
            f"`{unused[0]}`: protocol {protocol} has no super-resolution part, leave it out"
        )
    return given
