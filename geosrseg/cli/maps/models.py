"""``geosrseg models``: the shipped and the fetched models."""

import json
from dataclasses import asdict

import click

from geosrseg.cli import options
from geosrseg.cli.model_card import describe, write_card
from geosrseg.core.text.plain_text import one_line
from geosrseg.core.user_cache import cache_root
from geosrseg.errors import ModelError


@click.group(invoke_without_command=True)
@options.debug_option
@click.pass_context
def models(ctx: click.Context) -> None:
    """List, show and verify models, both shipped and fetched by address."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, as_json=False)


@models.command("list")
@options.json_option
@options.debug_option
def list_(as_json: bool) -> None:
    """List the shipped models and those fetched by address."""
    from geosrseg.runtime.model.model_file import read_model_file
    from geosrseg.runtime.model_cache import ModelCache
    from geosrseg.runtime.shipped_models import DEFAULT_MODEL, list_models

    here = [model for model in list_models() if model.path.is_file()]
    cached = ModelCache(cache_root() / "models").models()
    files = {model.name: read_model_file(model.path) for model in here}
    if as_json:
        shown = [
            describe(file) | {"default": name == DEFAULT_MODEL} for name, file in files.items()
        ]
        fetched = [asdict(model) | {"path": str(model.path)} for model in cached]
        click.echo(json.dumps({"models": shown, "fetched": fetched}))
        return
    for name, file in files.items():
        spec = file.spec
        mark = "  (default)" if name == DEFAULT_MODEL else ""
        click.echo(
            f"{name}  {spec.version}  {spec.upscale_factor}x  {', '.join(spec.bands)}  ->  "
            f"{', '.join(spec.legend.names)}{mark}"
        )
    for model in cached:
        size = f"{model.size / 1e6:.1f} MB"
        click.echo(f"{one_line(model.origin) or 'unknown address'}  {size}  {model.path}")


@models.command()
@click.argument("model", metavar="NAME|FILE.onnx|URL")
@click.option("--stac", is_flag=True, help="Print it as a STAC item (MLM extension).")
@options.json_option
@options.debug_option
def show(model: str, stac: bool, as_json: bool) -> None:
    """Show the specification that a model file carries."""
    from geosrseg.runtime.model.model_file import read_model_file
    from geosrseg.runtime.shipped_models import find_model

    file = read_model_file(find_model(model))
    if stac:
        with options.extra("gis"):
            from geosrseg.products.stac.model_item import model_item
        click.echo(json.dumps(model_item(file), indent=2, ensure_ascii=False))
        return
    click.echo(json.dumps(describe(file)) if as_json else write_card(file))


@models.command()
@options.json_option
@options.debug_option
def verify(as_json: bool) -> None:
    """Verify that the shipped models match the published files."""
    from geosrseg.runtime.shipped_models import verify_models

    verified = verify_models()
    if not verified:
        raise ModelError("no model was shipped: reinstall geosrseg")
    if as_json:
        click.echo(json.dumps({"models": [{"name": m.name, "sha256": m.sha256} for m in verified]}))
        return
    for model in verified:
        click.echo(f"{model.name}  intact  {model.sha256}")
