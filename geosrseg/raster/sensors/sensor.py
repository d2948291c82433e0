"""Sensor: the protocol of what recognises a product and says what is in it."""

from typing import Protocol

from geosrseg.raster.sensors.product import SensorProduct
from geosrseg.raster.sensors.sensor_input import SensorInput


class Sensor(Protocol):
    """Recognises the products of one sensor, or family of sensors.

    It is made once for each scene, without arguments, and asked what a user gave. It opens no
    pixels: which file is which band, and what the numbers mean, is all it has to say.

    Attributes:
        help: for ``--help`` and messages: what it is called, and after a colon what is taken as
            what: ``Toysat: Level 2, as folder``.
    """

    help: str = ""

    def find(self, given: SensorInput) -> SensorProduct | None:
        """The product that was given; None where it is none of this sensor's.

        Args:
            given: a folder, an archive, a STAC item or a file.

        Raises:
            SceneError: it is one of this sensor's, and cannot be read: says why.
        """
        ...
