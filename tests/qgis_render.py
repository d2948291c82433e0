"""Render layers with QGIS, offscreen. Runs in the Python that has QGIS, not in ours.

    python3 qgis_render.py PICTURE.png ROWS COLS LAYER...

LAYER is a raster, drawn with the style that QGIS finds beside it, or a vector file, drawn as
black outlines of no width. Prints one line of JSON: what QGIS says of each layer.
"""

import json
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import (
    QgsApplication,
    QgsFillSymbol,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor


def open_layer(path):
    if path.endswith(".tif"):
        layer = QgsRasterLayer(path, "raster")
        classes = layer.renderer().classes() if layer.renderer().type() == "paletted" else []
        named = [[item.value, item.label, item.color.name()] for item in classes]
        return layer, {"renderer": layer.renderer().type(), "classes": named}
    layer = QgsVectorLayer(path, "vector")
    outline = {"style": "no", "outline_color": "0,0,0", "outline_width": "0"}
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(outline)))
    fields = [field.name() for field in layer.fields()]
    return layer, {"features": layer.featureCount(), "fields": fields}


def main():
    picture, rows, cols, *paths = sys.argv[1:]
    application = QgsApplication([], False)
    application.initQgis()
    layers, said = zip(*map(open_layer, paths))
    for layer, found in zip(layers, said):
        found["valid"], found["crs"] = layer.isValid(), layer.crs().authid()
    settings = QgsMapSettings()
    settings.setLayers(list(reversed(layers)))
    settings.setDestinationCrs(layers[0].crs())
    settings.setExtent(layers[0].extent())
    settings.setOutputSize(QSize(int(cols), int(rows)))
    settings.setBackgroundColor(QColor(1, 2, 3))
    settings.setFlag(QgsMapSettings.Antialiasing, False)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)
    print(json.dumps(said), flush=True)
    os._exit(0)  # QGIS and Python take turns in deleting what the other needs


main()
