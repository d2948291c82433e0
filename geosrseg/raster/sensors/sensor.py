"""Sensor: the protocol of classes that recognise and describe products."""

from typing import Protocol

from geosrseg.raster.sensors.product import SensorProduct
from geosrseg.raster.sensors.sensor_input import SensorInput


class Sensor(Protocol):
    """Recognises the products of one sensor, or family of sensors.

    It is created once per scene, without arguments. It reads no pixels: it only says which file
    holds which band and what the numbers mean.

    Attributes:
        help: shown by ``--help``: the sensor's name, a colon, and the products and forms that
            it accepts: ``Toysat: Level 2, as folder``. Messages show the name.
    """

    help: str = ""

    def find(self, given: SensorInput) -> SensorProduct | None:
        """Return the product given; None if it is not one of this sensor's.

        Args:
            given: a folder, an archive, a STAC item or a file.

        Raises:
            SceneError: the product is this sensor's, but unusable; the message says why.
        """
        ...
