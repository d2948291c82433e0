# An image with the command, the default model and the demo scene.
#
#     docker build -t geosrseg .
#     docker run --rm -v "$PWD:/data" -u "$(id -u):$(id -g)" geosrseg
#
# The second line maps the demo scene into the current folder; words after it are those of the
# command: ... geosrseg predict scene.tif -o classes.tif

FROM python:3.12-slim AS build
WORKDIR /sources
COPY pyproject.toml README.md LICENSE ./
COPY weights/landcover-3x.onnx weights/SHA256SUMS weights/README.md weights/
COPY geosrseg geosrseg
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
# rasterio's GDAL is linked with it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libexpat1 \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir "$(echo /wheels/geosrseg-*.whl)[cpu,gis]"
COPY docs/demo/liverpool.tif /demo/
# Any user may run it, with no home of its own.
ENV HOME=/tmp
WORKDIR /data
ENTRYPOINT ["geosrseg"]
CMD ["predict", "/demo/liverpool.tif", "-o", "liverpool_classes.tif", "--quicklook", "liverpool.png"]
