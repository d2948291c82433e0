"""The README of a model: its card on the Hugging Face Hub and similar sites.

It starts with YAML metadata, by which the Hub lists and finds models. Strings are written as JSON,
which is valid YAML.
"""

import json
import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from urllib.parse import quote

import numpy as np

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.domain import BOTH, LEVELS, SURFACE, TOP_OF_ATMOSPHERE
from geosrseg.core.spec import ModelSpec
from geosrseg.core.text.plain_text import one_line
from geosrseg.runtime.model.model_file import ModelFile

LICENCES = (
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "gpl-3.0", "agpl-3.0", "lgpl-3.0",
    "mpl-2.0", "unlicense", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "odbl", "etalab-2.0",
    "unknown",
)  # fmt: skip
"""Codes of the Hub for licences that models or their data commonly have."""

TAGS = (
    "onnx", "remote-sensing", "earth-observation", "semantic-segmentation", "super-resolution"
)  # fmt: skip

HEADS = {
    "overall_accuracy": "overall accuracy",
    "normalized_accuracy": "normalized accuracy",
    "mean_iou": "mean IoU",
    "kappa": "kappa",
}
"""Metrics of a whole map, with their names for readers."""


def model_readme(file: ModelFile) -> str:
    """The card of a model file, from the specification in the file."""
    spec = file.spec
    lines = [
        *("---", *_metadata(spec), "---"),
        *_title(spec),
        *_use(file),
        *_contract(spec),
        *_data(spec),
        *_results(spec),
        *_section("Limits", spec.limits),
        *_section("Licence", spec.licence),
    ]
    return "\n".join(lines) + "\n"


def _metadata(spec: ModelSpec) -> Iterator[str]:
    yield from _licence(spec.licence)
    yield "library_name: geosrseg"
    yield "pipeline_tag: image-segmentation"
    yield "tags:"
    for tag in TAGS:
        yield f"- {tag}"
    for name in dict.fromkeys(spec.domain.sensors):
        yield f"- {json.dumps(one_line(name).lower())}"
    if values := dict(_by_source(spec)).get(""):
        yield "model-index:"
        yield f"- name: {json.dumps(spec.name)}"
        yield "  results:"
        yield from _index_entry(one_line(spec.training_data), values)


def _licence(licence: str) -> Iterator[str]:
    said = re.split(r"[(;,]", licence, maxsplit=1)[0].strip()
    code = re.sub(r"\s+", "-", said.lower()) or "unknown"
    if code in LICENCES:
        yield f"license: {code}"
        return
    yield "license: other"
    yield f"license_name: {json.dumps(one_line(said))}"


def _index_entry(source: str, values: Mapping[str, float]) -> Iterator[str]:
    yield "  - task:"
    yield "      type: image-segmentation"
    yield "    dataset:"
    yield f"      name: {json.dumps(f'{source}, validation')}"
    yield "      type: validation"
    yield "    metrics:"
    for name, value in values.items():
        yield f"    - type: {name}"
        yield f"      name: {HEADS[name]}"
        yield f"      value: {value:.4f}"


def _title(spec: ModelSpec) -> Iterator[str]:
    finer = f"{spec.upscale_factor} times finer"
    pixels = spec.domain.resolution
    yield ""
    yield f"# {_plain(f'{spec.name} {spec.version}')}"
    yield ""
    yield (
        "Satellite image in, class map out: super-resolution and segmentation in one network, "
        f"trained end to end. The map's pixels are {finer} than the image's"
        + (f": {pixels:g} m become {pixels / spec.upscale_factor:.3g} m." if pixels else ".")
    )


def _use(file: ModelFile) -> Iterator[str]:
    name = one_line(file.path.name)
    address = shlex.quote(f"hf://OWNER/REPO/{quote(name)}@main#sha256={file.sha256}")
    yield from (
        "", "## Use it", "", "```sh", "pip install geosrseg",
        f"geosrseg predict scene.tif -m {address}",
        "```", "",
        "OWNER/REPO is this repository. The hash pins the file, which is fetched once.", "",
        f"- file: `{name}`, {len(file.content) / 1e6:.1f} MB, ONNX",
        f"- SHA-256: `{file.sha256}`",
    )  # fmt: skip


def _contract(spec: ModelSpec) -> Iterator[str]:
    domain = spec.domain
    middle = len(LEVELS) // 2
    medians = [f"{band[middle]:.3g}" for band in domain.quantiles]
    yield from ("", "## What it takes", "")
    yield from _table(
        ["band", "range", *(["median in training"] if medians else [])],
        (
            [name, f"{low:g} to {high:g}", *more]
            for name, low, high, more in zip(
                spec.bands,
                spec.normalization.low,
                spec.normalization.high,
                [[text] for text in medians] or [[]] * len(spec.bands),
                strict=True,
            )
        ),
    )
    offered = ", ".join(f"{value:g}" for value in domain.offered)
    facts = {
        "pixels": "" if domain.resolution is None else f"{domain.resolution:g} m",
        "offered for, without training": f"{offered} m" if offered else "",
        "reflectance": domain.reflectance.replace(BOTH, f"{SURFACE} or {TOP_OF_ATMOSPHERE}"),
        "sensors": ", ".join(domain.sensors),
    }
    yield from _facts(facts)
    yield from ("", "## What it gives", "")
    classes = spec.legend.classes
    yield from _table(["id", "class", "colour"], ([str(x.id), x.name, x.colour] for x in classes))


def _data(spec: ModelSpec) -> Iterator[str]:
    yield from ("", "## Training data", "", _text(spec.training_data))
    yield from _facts({"region": spec.domain.region, "dates": spec.domain.dates})


def _results(spec: ModelSpec) -> Iterator[str]:
    found = list(_by_source(spec))
    if not found and not spec.confusion:
        return
    said = "On the validation data, which chose the best epoch but was not trained on:"
    yield from ("", "## Figures", "", said, "")
    heads = [name for name in HEADS if any(name in values for _, values in found)]
    if heads:
        rows = (
            [source or "all", *(f"{v[name]:.3f}" if name in v else "" for name in heads)]
            for source, v in found
        )
        yield from _table(["data", *(HEADS[name] for name in heads)], rows)
        yield ""
    if spec.confusion:
        counts = ConfusionMatrix(np.array(spec.confusion, np.int64))
        columns = (counts.producers_accuracy, counts.users_accuracy, counts.iou)
        yield from _table(
            ["class", "producer's accuracy (recall)", "user's accuracy (precision)", "IoU"],
            (
                [name, *("" if math.isnan(c[k]) else f"{c[k]:.3f}" for c in columns)]
                for k, name in enumerate(spec.legend.names)
            ),
        )


def _by_source(spec: ModelSpec) -> Iterator[tuple[str, dict[str, float]]]:
    """The metrics of whole maps per source of the validation data; "" is all of it."""
    named = [
        (source, name, value)
        for key, value in spec.metrics.items()
        for source, _, name in [key.rpartition("/")]
        if name in HEADS
    ]
    for source, group in groupby(sorted(named, key=lambda item: item[0]), key=lambda x: x[0]):
        yield source, {name: value for _, name, value in group}


def _table(heads: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    for cells in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(_plain(cell) if cell != '---' else cell for cell in cells)} |"


def _facts(facts: Mapping[str, str]) -> Iterator[str]:
    known = {name: value for name, value in facts.items() if value}
    if known:
        yield ""
    for name, value in known.items():
        yield f"- {name}: {_plain(value)}"


def _section(title: str, text: str) -> Sequence[str]:
    return ("", f"## {title}", "", _text(text)) if text else ()


def _text(text: str) -> str:
    """The paragraphs of the model's author, with their markup escaped."""
    return "\n".join(_plain(line) for line in text.splitlines())


def _plain(text: str) -> str:
    """One line with Markdown and HTML escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", one_line(text))
