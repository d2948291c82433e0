"""Presets: recipes with the networks that they are made for."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.networks import read_options
from geosrseg.networks.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A recipe with the network it is made for.

    Attributes:
        recipe: how to train.
        options: of the networks, by a network's name.
        residual: see `NetworkConfig`.
        joint: see `NetworkConfig`.
    """

    recipe: Recipe
    options: Mapping[str, Mapping[str, Any]]
    residual: bool
    joint: str | None = None


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # Section 3.3 and 4.2 of the paper.
        "paper": Preset(recipe=Recipe(), options=MappingProxyType({}), residual=False),
        # A nineteenth of the parameters, from scratch, in minutes on two cores.
        "slim": Preset(
            recipe=Recipe(
                alpha=1.0,
                beta=1.0,
                gamma=1.0,
                sr_rate=1e-4,
                seg_rate=1e-3,
                sr_decay=1e-2,
                seg_decay=5e-2,
                decoupled=True,
                schedule="cosine",
                epochs=16,
                chips_per_epoch=1000,
                batch_size=8,
                chip_size=192,
                quarter_turns=True,
                class_power=0.0,
                jitter=0.05,
                cutout=0.5,
                averaging=0.99,
                class_offsets=True,
            ),
            options=MappingProxyType(
                {
                    "dbpn": {"base": 16, "feat": 64, "stages": 3},
                    "segnet": {"width": 0.25, "dropout": 0.3},
                    "unet": {"width": 0.25, "dropout": 0.3},
                }
            ),
            residual=True,
        ),
        # One network for both images, a fifth of the arithmetic of slim's.
        "compact": Preset(
            recipe=Recipe(
                alpha=1.0,
                beta=1.0,
                gamma=1.0,
                sr_rate=1.5e-3,
                seg_rate=1.5e-3,
                sr_decay=2e-2,
                seg_decay=2e-2,
                decoupled=True,
                schedule="cosine",
                epochs=16,
                chips_per_epoch=1000,
                batch_size=8,
                chip_size=384,
                quarter_turns=True,
                class_power=0.5,
                jitter=0.05,
                loss={"ce": 1.0, "dice": 0.5},
                label_smoothing=0.05,
                averaging=0.998,
            ),
            options=MappingProxyType({}),
            residual=False,
            joint="compact",
        ),
    }
)


def configure(
    preset: str,
    *,
    protocol: str,
    bands: int,
    classes: int,
    upscale_factor: int,
    replaced: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[NetworkConfig, Recipe]:
    """Network and recipe of a preset, with some values replaced.

    Args:
        preset: a name in `PRESETS`.
        protocol: see `NetworkConfig`.
        bands: input bands.
        classes: output classes.
        upscale_factor: target pixels per source pixel along each axis.
        replaced: by name, fields of `Recipe`; ``rate``, the learning rate of both parts
            unless one has its own; ``max_steps``, see `Recipe.limited`; ``sr``, ``seg``,
            ``residual`` and ``joint``; and options of the networks, such as ``sr_stages``, or
            ``sr_options``, ``seg_options`` and ``joint_options``, by name, with values that may
            be text.

    Raises:
        ValueError: a value is out of range.
        RunError: there is no such network, or it has no such option or value.
    """
    base = PRESETS[preset]
    of_recipe = {item.name for item in fields(Recipe)}
    rates = dict.fromkeys(("sr_rate", "seg_rate"), replaced["rate"]) if "rate" in replaced else {}
    values = rates | {k: v for k, v in replaced.items() if k in of_recipe}
    recipe = replace(base.recipe, **values)
    if len(recipe.class_weights) not in (0, 1, classes):
        raise ValueError(
            f"{len(recipe.class_weights)} class weights, expected one for each of {classes} "
            "classes, or one number: a power of their shares"
        )
    if "max_steps" in replaced:
        recipe = recipe.limited(replaced["max_steps"])
    known = {*of_recipe, "rate", "max_steps"}
    network = {k: v for k, v in replaced.items() if k not in known}
    joint = network.pop("joint", base.joint)
    if joint is not None:
        config = NetworkConfig(
            protocol=protocol,
            bands=bands,
            classes=classes,
            upscale_factor=upscale_factor,
            joint=joint,
            joint_options=dict(base.options.get(joint, {})) | _options_of("joint", joint, network),
        )
        _check_all_used(network, f" beside the network {joint}, which is one for both")
        return config, recipe
    sr, seg = str(network.pop("sr", "dbpn")), str(network.pop("seg", "segnet"))
    residual = bool(network.pop("residual", base.residual))
    config = NetworkConfig(
        protocol=protocol,
        bands=bands,
        classes=classes,
        upscale_factor=upscale_factor,
        sr=sr,
        sr_options=dict(base.options.get(sr, {})) | _options_of("sr", sr, network),
        seg=seg,
        seg_options=dict(base.options.get(seg, {})) | _options_of("seg", seg, network),
        residual=residual,
    )
    _check_all_used(network)
    return config, recipe


def _check_all_used(values: Mapping[str, Any], why: str = "") -> None:
    if values:
        raise ValueError(f"neither recipe nor networks have `{sorted(values)[0]}`{why}")


def _options_of(part: str, name: str, replaced: dict[str, Any]) -> dict[str, Any]:
    """Take out the options of a network: what begins with its part's name, and ``.._options``."""
    listed = read_options(part, name, replaced.pop(f"{part}_options", {}))
    names = [each for each in replaced if each.startswith(f"{part}_")]
    return {each.removeprefix(f"{part}_"): replaced.pop(each) for each in names} | listed
