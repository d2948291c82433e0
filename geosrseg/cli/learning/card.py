"""``geosrseg card``: drafts a dataset card from images and masks."""

from pathlib import Path
from typing import Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.terminal.progress import progress_bar


@click.command(cls=Command)
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="CARD.toml", required=True,
    help="The card to write.",
)  # fmt: skip
@click.option(
    "--masks", type=click.Path(path_type=Path), metavar="FOLDER|FILE",
    help="Folder of the masks, if not among the images, or a file of polygons for all images.",
)  # fmt: skip
@click.option(
    "--column", metavar="NAME", help="Column with the polygons' class.  [default: the only one]"
)
@click.option("--name", metavar="TEXT", help="Name of the dataset.  [default: the folder's]")
@click.option(
    "--scale", type=float, help="Reflectance = scale x number + offset.  [default: from the files, "
    "or else from their values]",
)  # fmt: skip
@click.option("--offset", type=float, help="See --scale.")
@options.overwrite_option
@options.debug_option
def card(folder: Path, output: Path, overwrite: bool, **arguments: Any) -> None:
    """Draft a dataset card from images and their masks.

    Finds the masks by their names: images/a.tif and masks/a.png, or a.tif and a_mask.tif. The
    card lists bands with their ranges, scale, nodata, classes and splits, as the files suggest
    them. It works unchanged, but is meant to be edited.
    """
    from geosrseg.datasets.draft.card_draft import draft_card, write_card
    from geosrseg.raster.storage.publication import check_output

    check_output(output, suffixes=[".toml"], overwrite=overwrite)
    with progress_bar("image") as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        draft = draft_card(folder, on_file=show, **arguments)
    write_card(draft, output, overwrite=overwrite)
    following = f"check it: geosrseg train --dataset {output} --check -o check.html"
    click.echo("\n".join([*draft.lines(), following]), err=True)
    click.echo(output)
