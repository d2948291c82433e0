"""The description of a model file, as text and as JSON."""

import json
from typing import TYPE_CHECKING, Any

from geosrseg.cli.terminal.table import write_lines
from geosrseg.core.domain import LEVELS

if TYPE_CHECKING:
    from geosrseg.core.spec import ModelSpec
    from geosrseg.runtime.model.model_file import ModelFile


def describe(file: "ModelFile") -> dict[str, Any]:
    """The ModelSpec, with the file's path and hash."""
    spec: dict[str, Any] = json.loads(file.spec.to_json())
    return {"path": str(file.path), "sha256": file.sha256, **spec}


def _domain(spec: "ModelSpec") -> dict[str, str]:
    """The model's training domain; values that are not known are empty."""
    domain = spec.domain
    middle = len(LEVELS) // 2
    inputs = [
        f"{name} {band[0]:.3g} to {band[-1]:.3g}, median {band[middle]:.3g}"
        for name, band in zip(spec.bands, domain.quantiles, strict=False)
    ]
    resolution = "" if domain.resolution is None else f"{domain.resolution:g} m"
    if domain.offered:
        offered = ", ".join(f"{value:g}" for value in domain.offered)
        resolution += f"; offered for {offered} m too"
    return {
        "LR pixels": resolution.removeprefix("; "),
        "reflectance": domain.reflectance,
        "sensors": ", ".join(domain.sensors),
        "region": domain.region,
        "dates": domain.dates,
        f"inputs ({1 - 2 * LEVELS[0]:.1%} of them)": "; ".join(inputs),
    }


def _known(halo: int | None) -> str:
    return "unknown" if halo is None else str(halo)


def write_card(file: "ModelFile") -> str:
    """The facts that a reader needs before using the model, one per line."""
    spec = file.spec
    ranges = zip(spec.bands, spec.normalization.low, spec.normalization.high, strict=True)
    bands = [f"{name} ({low:g} to {high:g})" for name, low, high in ranges]
    classes = [f"{item.id} {item.name} {item.colour}" for item in spec.legend.classes]
    return write_lines(
        {
            "name": f"{spec.name} {spec.version}",
            "file": f"{file.path} ({len(file.content) / 1e6:.1f} MB)",
            "sha256": file.sha256,
            "bands": f"{', '.join(bands)}, reflectance",
            "upscale factor": str(spec.upscale_factor),
            "classes": ", ".join(classes),
            "windows": f"{spec.window_size} LR pixels, halo {spec.halo}, "
            f"exact halo {_known(spec.exact_halo)}, measured {_known(spec.measured_halo)}",
            "precisions": ", ".join(spec.precisions),
            "metrics": ", ".join(f"{name} {value:.3f}" for name, value in spec.metrics.items()),
            "training data": spec.training_data,
            **_domain(spec),
            "limits": spec.limits,
            "licence": spec.licence,
        }
    )
