"""A tool of QGIS's Processing toolbox that maps a scene with the command ``geosrseg predict``.

Add it with *Scripts > Add Script to Toolbox*, as docs/install.md describes. It calls the installed
command, so QGIS's own Python needs no package. For QGIS 3.22 and later.
"""

import os
import shlex
import shutil
import subprocess

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

SCENE, PRODUCT, MASK, AREA = "SCENE", "PRODUCT", "MASK", "AREA"
OPTIONS, COMMAND, OUTPUT = "OPTIONS", "COMMAND", "OUTPUT"
WAIT = 0.5
"""Seconds between checks whether the user has cancelled."""


class GeosrsegPredict(QgsProcessingAlgorithm):
    """The tool in the toolbox."""

    def name(self) -> str:
        return "geosrseg_predict"

    def displayName(self) -> str:  # noqa: N802
        return "Class map (geosrseg)"

    def shortHelpString(self) -> str:  # noqa: N802
        return (
            "Makes the high-resolution class map of a low-resolution scene.\n\n"
            "Give the scene as a layer, or a Landsat product as the .tar that USGS delivers or its "
            "STAC item. Clouds can be masked in products only: cloud,shadow.\n\n"
            "A cancelled run resumes when it is run again with the same output file."
        )

    def createInstance(self) -> "GeosrsegPredict":  # noqa: N802
        return GeosrsegPredict()

    def initAlgorithm(self, configuration: "dict | None" = None) -> None:  # noqa: N802
        """Define the fields of the dialog."""
        polygons = [QgsProcessing.TypeVectorPolygon]
        command = shutil.which("geosrseg") or "geosrseg"
        for parameter in (
            QgsProcessingParameterRasterLayer(SCENE, "Scene", optional=True),
            QgsProcessingParameterFile(PRODUCT, "or Landsat product", optional=True),
            QgsProcessingParameterString(MASK, "Mask: cloud,shadow,cirrus,snow", optional=True),
            QgsProcessingParameterFeatureSource(AREA, "Map only here", polygons, optional=True),
            QgsProcessingParameterString(OPTIONS, "Further options of predict", optional=True),
            QgsProcessingParameterString(COMMAND, "geosrseg command", command),
            QgsProcessingParameterRasterDestination(OUTPUT, "Class map"),
        ):
            self.addParameter(parameter)

    def processAlgorithm(  # noqa: N802
        self,
        parameters: dict,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict:
        """Run the command and give its map to QGIS."""
        layer = self.parameterAsRasterLayer(parameters, SCENE, context)
        product = self.parameterAsFile(parameters, PRODUCT, context)
        if bool(layer) == bool(product):
            raise QgsProcessingException("Give a scene or a Landsat product, one of the two")
        output = self.parameterAsOutputLayer(parameters, OUTPUT, context)
        command = self.parameterAsString(parameters, COMMAND, context)
        words = [command, "predict", layer.source() if layer else product, "-o", output]
        words += ["--overwrite"]  # QGIS has asked
        mask = self.parameterAsString(parameters, MASK, context)
        if mask:
            words += ["--mask", mask]
        if self.parameterAsSource(parameters, AREA, context) is not None:
            words += ["--aoi", self._area_file(parameters, context, feedback)]
        words += shlex.split(self.parameterAsString(parameters, OPTIONS, context))
        run_command(words, feedback)
        return {OUTPUT: output}

    def _area_file(
        self,
        parameters: dict,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> str:
        """Return the file of the layer, or a copy of the features that it shows."""
        return self.parameterAsCompatibleSourceLayerPath(
            parameters, AREA, context, ["gpkg", "geojson"], "gpkg", feedback
        )


def run_command(words: list, feedback: QgsProcessingFeedback) -> None:
    """Run a command until it ends or the user cancels.

    Raises:
        QgsProcessingException: the command failed; the message is the command's.
    """
    feedback.pushCommandInfo(shlex.join(words))
    # Variables that QGIS sets for its own Python would mislead another one.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        process = subprocess.Popen(
            words,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
    except OSError as error:
        raise QgsProcessingException(
            f"{words[0]} cannot be started ({error.strerror}): install geosrseg, and give the "
            "full path of its command"
        ) from error
    while True:
        try:
            said, _ = process.communicate(timeout=WAIT)
            break
        except subprocess.TimeoutExpired:
            if feedback.isCanceled():
                process.terminate()
    feedback.pushInfo(said)
    if process.returncode and not feedback.isCanceled():
        lines = [line for line in said.splitlines() if line.startswith("error: ")]
        raise QgsProcessingException("\n".join(lines) or said)
