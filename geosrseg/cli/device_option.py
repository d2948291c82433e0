"""The option ``--device``, made from the registry of devices.

Only commands that run a model import this module, because the registry reads entry points.
"""

import click

from geosrseg.runtime.devices.devices import AUTO, DEVICES

_FOUND = "; ".join(f"{name}, {DEVICES.help(name)}" for name in DEVICES.names)

device_option = click.option(
    "--device",
    type=click.Choice(["auto", *DEVICES.names]),
    default="auto",
    show_default=True,
    help=f"Device that runs the model: {_FOUND}. auto takes the first of {', '.join(AUTO[:-1])} "
    f"and {AUTO[-1]} that works.",
)
