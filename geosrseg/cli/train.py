"""``geosrseg train``: a dataset and a recipe in, a run out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.errors import RunError

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback


@click.command()
@options.dataset_option
@options.data_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The run folder to make.",
)
@click.option(
    "--protocol",
    type=click.Choice(["end-to-end", "two-stage", "lr", "hr"]),
    default="end-to-end",
    show_default=True,
    help="Both parts together, both apart, or segmentation of the bicubic or native image.",
)
@click.option(
    "--upscale", type=click.Choice([2, 4, 8]), default=4, show_default=True, help="Upscale factor."
)
@click.option("--sr", metavar="NAME", help="Super-resolution network: dbpn or espcn.")
@click.option(
    "--seg",
    metavar="NAME",
    help="Segmentation network: segnet, unet or smp:ARCHITECTURE/ENCODER.",
)
@click.option(
    "--preset",
    type=click.Choice(["paper", "slim"]),
    default="paper",
    show_default=True,
    help="Network and recipe to begin with; every option below replaces one of its values.",
)
@click.option("--alpha", type=float, help="Weight of the reconstruction loss.")
@click.option("--beta", type=float, help="Weight of the segmentation loss.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes, each with a validation.")
@click.option("--chips-per-epoch", type=click.IntRange(min=1), help="Chips in a pass.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Chips in a step.")
@click.option("--crop", "chip_size", type=click.IntRange(min=32), help="HR pixels of a chip.")
@click.option("--sr-rate", type=float, help="Learning rate of the super-resolution part.")
@click.option("--seg-rate", type=float, help="Learning rate of the segmentation part.")
@click.option("--jitter", type=click.FloatRange(min=0), help="Radiometric augmentation.")
@click.option(
    "--class-power",
    type=click.FloatRange(0, 1),
    help="Draw a class with its pixel count to this power: 0 draws all classes alike.",
)
@click.option("--sr-base", type=click.IntRange(min=1), help="Channels of D-DBPN's units.")
@click.option("--sr-stages", type=click.IntRange(min=2), help="D-DBPN's up-projections.")
@click.option("--seg-width", type=float, help="Factor on SegNet's or U-Net's channels.")
@click.option(
    "--residual/--no-residual", default=None, help="Let the SR network add to the bicubic image."
)
@click.option(
    "--precision", type=click.Choice(["32-true", "bf16-mixed", "16-mixed"]), help="Arithmetic."
)
@click.option(
    "--init-sr",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Published D-DBPN weights to begin with.",
)
@click.option(
    "--init-seg",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Published VGG16 weights to begin SegNet's encoder with.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of all random numbers.")
@options.overwrite_option
@options.debug_option
def train(
    dataset: str,
    data: Path,
    output: Path,
    protocol: str,
    upscale: int,
    preset: str,
    init_sr: Path | None,
    init_seg: Path | None,
    overwrite: bool,
    **replaced: Any,
) -> None:
    """Train a network on a dataset."""
    with options.extra("train"):
        from geosrseg.data.datasets import read_dataset
        from geosrseg.models.recipe import configure
        from geosrseg.pipelines.train import train as run

    _check_protocol(protocol, replaced)
    card = read_dataset(dataset, data=data)
    try:
        network, recipe = configure(
            preset,
            protocol=protocol,
            bands=len(card.bands),
            classes=len(card.legend),
            upscale_factor=1 if protocol == "hr" else upscale,
            replaced={name: value for name, value in replaced.items() if value is not None},
        )
    except ValueError as error:
        raise RunError(str(error)) from error
    done = run(
        card,
        output,
        network=network,
        recipe=recipe,
        init_sr=init_sr,
        init_seg=init_seg,
        overwrite=overwrite,
        callbacks=_progress_bar(),
    )
    click.echo(done.path)


def _check_protocol(protocol: str, replaced: dict[str, Any]) -> None:
    """Refuse what the protocol would leave unused."""
    of_sr = ("sr", "sr_rate", "sr_base", "sr_stages", "residual")
    given = [name for name in of_sr if replaced[name] is not None]
    if protocol in ("lr", "hr") and given:
        option = given[0].replace("_", "-")
        raise click.UsageError(f"protocol {protocol} has no super-resolution part for --{option}")


def _progress_bar() -> list["Callback"]:
    """A bar on a terminal, and nothing elsewhere."""
    from lightning.pytorch.callbacks import TQDMProgressBar

    return [TQDMProgressBar()] if sys.stderr.isatty() else []
