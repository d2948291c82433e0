"""Registry of sensors: the built-in ones, and those of other packages.

A package adds a sensor by an entry point of the group ``geosrseg.sensors`` that names a class
with the methods of `Sensor`. Built-in sensors are asked first; the first sensor that recognises
a product describes it.
"""

from typing import TYPE_CHECKING

from geosrseg.registry import Offer, Registry

if TYPE_CHECKING:
    from geosrseg.raster.sensors.sensor import Sensor

_ROOM = "geosrseg.raster"

SENSORS: "Registry[type[Sensor]]" = Registry(
    "geosrseg.sensors",
    "sensor",
    {
        "landsat": Offer(
            target=f"{_ROOM}.landsat.landsat:Landsat",
            help="Landsat Collection 2: scenes and ARD tiles, as folder, .tar or STAC item",
        ),
        "hls": Offer(
            target=f"{_ROOM}.landsat.hls:Hls",
            help="HLS version 2: L30 and S30, as folder or STAC item",
        ),
        "sentinel2": Offer(
            target=f"{_ROOM}.sentinel2.sentinel2:Sentinel2",
            help="Sentinel-2: Level 1C and 2A, as SAFE folder, .zip or .tar of it, or STAC item",
        ),
    },
)


def sensors_help() -> tuple[str, ...]:
    """Return the help of each sensor: the products accepted besides GeoTIFFs."""
    return tuple(SENSORS.help(name) for name in SENSORS.names)


def sensor_titles() -> str:
    """Return the names of the sensors, joined for a sentence."""
    *others, last = (line.partition(":")[0] for line in sensors_help())
    return f"{', '.join(others)} or {last}" if others else last
