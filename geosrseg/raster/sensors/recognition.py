"""Recognition: finds the sensor that recognises the scene given."""

from geosrseg.core.text.numerals import shown
from geosrseg.errors import PluginError, SceneError
from geosrseg.raster.sensors.product import SensorProduct, listed
from geosrseg.raster.sensors.sensor_input import ARCHIVE, FILE, SensorInput
from geosrseg.raster.sensors.sensors import SENSORS, sensor_titles
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.not_taken import check_taken


def find_product(location: Location) -> SensorProduct | None:
    """Return the product in a folder, an archive, an item or a file; None for a plain file.

    Raises:
        SceneError: the location holds no product, or cannot be read.
        PluginError: the sensor of another package fails.
    """
    check_taken(location)
    if location.in_memory:
        return None
    given = SensorInput(location)
    for name in SENSORS.names:
        product = _ask(name, given)
        if product is not None:
            return product
    if given.kind == FILE:
        return None
    if given.no_item is not None:
        raise given.no_item
    if given.item is not None:
        raise SceneError(
            f"the item {shown(given.item.id)} describes no product of {sensor_titles()}: give an "
            "item that does, or the address of a GeoTIFF"
        )
    advice = "give the product's own folder or archive, or a GeoTIFF"
    if given.kind == ARCHIVE:
        advice = "unpack it and give the GeoTIFF or product inside"
    elif rasters := [name for name in given.files if name.lower().endswith((".tif", ".tiff"))]:
        advice = f"give the product's own folder, or a file such as {location.path / rasters[0]}"
    raise SceneError(
        f"it holds no product of {sensor_titles()}, found {listed(tuple(given.files))}: {advice}"
    )


def _ask(name: str, given: SensorInput) -> SensorProduct | None:
    """Ask one sensor; turn the errors of plugins into `PluginError`."""
    origin = SENSORS.origin(name)
    sensor = SENSORS.load(name)()
    if not origin:
        return sensor.find(given)
    try:
        product = sensor.find(given)
    except SceneError:
        raise
    except Exception as error:  # a plugin may raise anything
        raise PluginError(
            f"the sensor {name} of {origin} fails ({type(error).__name__}: {error}): update or "
            "uninstall that package"
        ) from error
    if product is not None and not isinstance(product, SensorProduct):
        raise PluginError(
            f"the sensor {name} of {origin} gives a {type(product).__name__}, expected a "
            "SensorProduct: update or uninstall that package"
        )
    return product
