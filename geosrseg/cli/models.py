"""``geosrseg models``: the shipped models."""

import json
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.errors import ModelError

if TYPE_CHECKING:
    from geosrseg.runtime.model_file import ModelFile


@click.group(invoke_without_command=True)
@options.debug_option
@click.pass_context
def models(ctx: click.Context) -> None:
    """List, show and verify the shipped models."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, as_json=False)


@models.command("list")
@options.json_option
@options.debug_option
def list_(as_json: bool) -> None:
    """List the shipped models."""
    from geosrseg.runtime.model_file import read_model_file
    from geosrseg.runtime.shipped_models import DEFAULT_MODEL, list_models

    files = {model.name: read_model_file(model.path) for model in list_models()}
    if as_json:
        shown = [
            _described(file) | {"default": name == DEFAULT_MODEL} for name, file in files.items()
        ]
        click.echo(json.dumps({"models": shown}))
        return
    for name, file in files.items():
        spec = file.spec
        mark = "  (default)" if name == DEFAULT_MODEL else ""
        click.echo(
            f"{name}  {spec.version}  {spec.upscale_factor}x  {', '.join(spec.bands)}  ->  "
            f"{', '.join(spec.legend.names)}{mark}"
        )


@models.command()
@click.argument("model", metavar="NAME|FILE.onnx")
@options.json_option
@options.debug_option
def show(model: str, as_json: bool) -> None:
    """Show what a model file says of itself."""
    from geosrseg.runtime.model_file import read_model_file
    from geosrseg.runtime.shipped_models import find_model

    file = read_model_file(find_model(model))
    click.echo(json.dumps(_described(file)) if as_json else _card(file))


@models.command()
@options.json_option
@options.debug_option
def verify(as_json: bool) -> None:
    """Verify that the shipped models are the files that were published."""
    from geosrseg.runtime.shipped_models import verify_models

    verified = verify_models()
    if not verified:
        raise ModelError("no model was shipped: reinstall geosrseg")
    if as_json:
        click.echo(json.dumps({"models": [{"name": m.name, "sha256": m.sha256} for m in verified]}))
        return
    for model in verified:
        click.echo(f"{model.name}  intact  {model.sha256}")


def _described(file: "ModelFile") -> dict[str, Any]:
    """The ModelSpec, and the file that holds it."""
    spec: dict[str, Any] = json.loads(file.spec.to_json())
    return {"path": str(file.path), "sha256": file.sha256, **spec}


def _known(halo: int | None) -> str:
    return "unknown" if halo is None else str(halo)


def _card(file: "ModelFile") -> str:
    """What a reader wants to know before using the model, line by line."""
    spec = file.spec
    ranges = zip(spec.bands, spec.normalization.low, spec.normalization.high, strict=True)
    bands = [f"{name} ({low:g} to {high:g})" for name, low, high in ranges]
    classes = [f"{item.id} {item.name} {item.colour}" for item in spec.legend.classes]
    lines = {
        "name": f"{spec.name} {spec.version}",
        "file": f"{file.path} ({len(file.content) / 1e6:.1f} MB)",
        "sha256": file.sha256,
        "bands": f"{', '.join(bands)}, reflectance",
        "upscale factor": str(spec.upscale_factor),
        "classes": ", ".join(classes),
        "windows": f"{spec.window_size} LR pixels, halo {spec.halo}, "
        f"exact halo {_known(spec.exact_halo)}, measured {_known(spec.measured_halo)}",
        "metrics": ", ".join(f"{name} {value:.3f}" for name, value in spec.metrics.items()),
        "training data": spec.training_data,
        "limits": spec.limits,
        "licence": spec.licence,
    }
    width = max(map(len, lines)) + 2
    return "\n".join(f"{key:<{width}}{value}" for key, value in lines.items() if value)
