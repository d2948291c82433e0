"""Render layers with QGIS, offscreen. Runs in the Python that has QGIS, not in ours.

    python3 qgis_render.py PICTURE.png ROWS COLS LAYER...

LAYER is a raster (.tif, .vrt), drawn with the style that QGIS finds beside it, or a vector file,
drawn as black outlines of no width. Prints one line of JSON: what QGIS says of each layer, and how
it would draw a vector file by itself.
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
    if path.endswith((".tif", ".vrt")):
        layer = QgsRasterLayer(path, "raster")
        classes = layer.renderer().classes() if layer.renderer().type() == "paletted" else []
        named = [[item.value, item.label, item.color.name()] for item in classes]
        shader = getattr(layer.renderer(), "shader", lambda: None)()
        ramp = shader.rasterShaderFunction().colorRampItemList() if shader else []
        said = {"renderer": layer.renderer().type(), "classes": named}
        return layer, said | {"ramp": [[i.value, i.label, i.color.name()] for i in ramp]}
    layer = QgsVectorLayer(path, "vector")
    kind = layer.renderer().type()
    classes = [
        [int(item.value()), item.label(), item.symbol().color().name()]
        for item in (layer.renderer().categories() if kind == "categorizedSymbol" else [])
    ]
    outline = {"style": "no", "outline_color": "0,0,0", "outline_width": "0"}
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(outline)))
    fields = [field.name() for field in layer.fields()]
    said = {"features": layer.featureCount(), "fields": fields}
    return layer, said | {"renderer": kind, "classes": classes}


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
