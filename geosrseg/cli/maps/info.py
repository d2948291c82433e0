"""``geosrseg info``: describes a scene or a model, and whether they fit."""

import json
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.model_card import describe, write_card
from geosrseg.cli.terminal.table import write_lines
from geosrseg.cli.wording import in_words_of_command

if TYPE_CHECKING:
    from geosrseg.mapping.planning.info import SceneInfo
    from geosrseg.raster.survey import Survey


@click.command(cls=Command)
@click.argument("scene", metavar="SCENE|MODEL")
@options.model_option
@options.json_option
@options.debug_option
def info(scene: str, model: str | None, as_json: bool) -> None:
    """Describe a scene and say whether a model can map it, or describe a model.

    SCENE is anything that predict accepts. MODEL is the name of a shipped model, FILE.onnx or an
    address as for --model.
    """
    from geosrseg.mapping.planning.info import info as run
    from geosrseg.runtime.model.model_file import read_model_file
    from geosrseg.runtime.model_address import is_model_address
    from geosrseg.runtime.shipped_models import DEFAULT_MODEL, find_model, list_models

    names = {item.name for item in list_models()}
    if scene.endswith(".onnx") or scene in names or is_model_address(scene):
        file = read_model_file(find_model(scene))
        click.echo(json.dumps(describe(file)) if as_json else write_card(file))
        return
    found = run(scene, model=model or DEFAULT_MODEL)
    click.echo(json.dumps(_described(found)) if as_json else _report(found))


def _described(found: "SceneInfo") -> dict[str, Any]:
    survey = found.survey
    radiometry = survey.radiometry
    return {
        "scene": str(survey.location),
        "kind": survey.kind,
        "width": survey.grid.width,
        "height": survey.grid.height,
        "crs": _crs(survey),
        "transform": list(survey.grid.transform[:6]),
        "bounds": list(survey.grid.bounds),
        "bands": [{"number": band.index, "name": band.name} for band in survey.bands],
        "dtype": survey.dtype,
        "nodata": [None if value is None else str(value) for value in survey.nodata],
        "scale": list(radiometry.scale) if radiometry else None,
        "offset": list(radiometry.offset) if radiometry else None,
        "valid_share": round(survey.valid_share, 4),
        "model": found.model,
        "upscale_factor": found.upscale_factor,
        "can_run": not found.obstacle,
        "obstacle": in_words_of_command(found.obstacle),
        "warnings": [in_words_of_command(text) for text in found.warnings],
    }


def _report(found: "SceneInfo") -> str:
    survey = found.survey
    transform = survey.grid.transform
    width, height = abs(complex(transform.a, transform.d)), abs(complex(transform.b, transform.e))
    verdict = (
        f"no: {in_words_of_command(found.obstacle)}"
        if found.obstacle
        else f"yes, {found.upscale_factor}x finer"
    )
    return write_lines(
        {
            "scene": str(survey.location),
            "kind": survey.kind,
            "size": f"{survey.grid.width} x {survey.grid.height} pixels",
            "crs": _crs(survey) or "none",
            "pixel": f"{width:.10g} x {height:.10g} in units of the CRS",
            "bands": ", ".join(f"{band.index} {band.name or '(no name)'}" for band in survey.bands),
            "numbers": survey.dtype,
            "nodata": _same(["none" if v is None else f"{v:g}" for v in survey.nodata]),
            "reflectance": _radiometry(survey),
            "valid": f"{survey.valid_share:.1%}, measured on a decimated copy",
            "warnings": in_words_of_command("; ".join(found.warnings)),
            f"{found.model} can map it": verdict,
        }
    )


def _crs(survey: "Survey") -> str | None:
    crs = survey.grid.crs
    if crs is None:
        return None
    epsg = crs.to_epsg()
    return f"EPSG:{epsg}" if epsg else str(crs.to_wkt())


def _radiometry(survey: "Survey") -> str:
    if survey.radiometry is None:
        return f"unknown: {in_words_of_command(survey.no_radiometry)}"
    pairs = zip(survey.radiometry.scale, survey.radiometry.offset, strict=True)
    return _same([f"{scale:g} * DN + {offset:g}" for scale, offset in pairs])


def _same(texts: list[str]) -> str:
    """One text if all bands have the same, else the texts of all bands."""
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)
