"""``rio geosrseg``: predict as a plugin of rasterio's ``rio``."""

import click

from geosrseg.cli.main import main


@click.command(
    "geosrseg",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def geosrseg(arguments: tuple[str, ...]) -> None:
    """High-resolution class maps of scenes (geosrseg predict)."""
    main(["predict", *arguments], prog_name="geosrseg")
