"""Run the Processing tool offscreen. Runs in the Python that has QGIS, not in ours.

    python3 qgis_tool.py TOOL.py PARAMETERS.json

Prints one line of JSON: whether it went well, what it said, and what QGIS makes of its map.
"""

import json
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.append("/usr/share/qgis/python/plugins")

from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
)

application = QgsApplication([], False)
application.initQgis()

from processing.script.ScriptUtils import loadAlgorithm


def main():
    tool, parameters = sys.argv[1], json.loads(sys.argv[2])
    algorithm = loadAlgorithm("geosrseg_predict", tool)
    algorithm.initAlgorithm({})
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    context.setProject(QgsProject.instance())
    right, why = algorithm.checkParameterValues(parameters, context)
    said = {"title": algorithm.displayName(), "parameters": [right, why]}
    try:
        results, said["done"] = algorithm.run(parameters, context, feedback, {}, False)
        layer = QgsRasterLayer(results["OUTPUT"], "map")
        said["classes"] = [[item.value, item.label] for item in layer.renderer().classes()]
        said["size"] = [layer.width(), layer.height()]
    except QgsProcessingException as error:
        said["error"] = str(error)
    said["log"] = feedback.textLog()
    print(json.dumps(said), flush=True)
    os._exit(0)  # QGIS and Python take turns in deleting what the other needs


main()
