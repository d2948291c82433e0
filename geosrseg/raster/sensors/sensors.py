"""The sensors by name: the built-in ones, and those that other packages bring.

A package adds a sensor by an entry point of the group ``geosrseg.sensors`` that names a class
with the methods of `Sensor`. All are asked in turn, the built-in ones first, and the first that
recognises a product describes it.
"""

from geosrseg.core.numerals import shown
from geosrseg.errors import PluginError, SceneError
from geosrseg.raster.files.location import Location
from geosrseg.raster.files.not_taken import check_taken
from geosrseg.raster.sensors.product import SensorProduct, listed
from geosrseg.raster.sensors.sensor import Sensor
from geosrseg.raster.sensors.sensor_input import FILE, SensorInput
from geosrseg.registry import Offer, Registry

_ROOM = "geosrseg.raster"

SENSORS: "Registry[type[Sensor]]" = Registry(
    "geosrseg.sensors",
    "sensor",
    {
        "landsat": Offer(
            target=f"{_ROOM}.landsat.landsat:Landsat",
            help="Landsat Collection 2, scenes and ARD tiles (folder, .tar, STAC item)",
        ),
        "hls": Offer(
            target=f"{_ROOM}.landsat.hls:Hls", help="HLS version 2, L30 and S30 (folder, STAC item)"
        ),
    },
)


def sensors_help() -> str:
    """What is taken besides GeoTIFFs, in one line."""
    return "; ".join(SENSORS.help(name) for name in SENSORS.names)


def find_product(location: Location) -> SensorProduct | None:
    """The product that a folder, an archive, an item or a file is; None for a plain file.

    Raises:
        SceneError: there is no product in it, or it cannot be read.
        PluginError: the sensor of another package fails.
    """
    check_taken(location)
    given = SensorInput(location)
    for name in SENSORS.names:
        product = _ask(name, given)
        if product is not None:
            return product
    if given.kind == FILE:
        return None
    what = "no product that is read"
    if given.no_item is not None:
        raise given.no_item
    if given.item is not None:
        raise SceneError(
            f"the item {shown(given.item.id)} is of {what}: expected {sensors_help()}, or the "
            "address of a GeoTIFF"
        )
    raise SceneError(
        f"it holds {what}, found {listed(tuple(given.files))}: give the product's own folder or "
        f"archive, or a GeoTIFF; taken are {sensors_help()}"
    )


def _ask(name: str, given: SensorInput) -> SensorProduct | None:
    """What one sensor says."""
    sensor = SENSORS.load(name)()
    if not SENSORS.origin(name):
        return sensor.find(given)
    try:
        return sensor.find(given)
    except SceneError:
        raise
    except Exception as error:  # code of others, which may raise anything
        raise PluginError(
            f"the sensor {name} of {SENSORS.origin(name)} fails ({type(error).__name__}: {error}): "
            "update or uninstall that package"
        ) from error
