"""The option ``--device``, made from the registry of devices.

Only what runs a model imports it: the registry reads the entry points of other packages.
"""

import click

from geosrseg.runtime.devices.devices import AUTO, DEVICES

_FOUND = "; ".join(f"{name}, {DEVICES.help(name)}" for name in DEVICES.names)

device_option = click.option(
    "--device",
    type=click.Choice(["auto", *DEVICES.names]),
    default="auto",
    show_default=True,
    help=f"Where the model runs: {_FOUND}.  auto takes the first of {', '.join(AUTO[:-1])} and "
    f"{AUTO[-1]} that works.",
)
