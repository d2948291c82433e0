"""Presets: recipes with their networks, and `configure` to replace some of their values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.networks import read_options
from geosrseg.networks.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A recipe with its network.

    Attributes:
        options: options of each network, by the network's name.
        residual: see `NetworkConfig`.
        joint: see `NetworkConfig`.
    """

    recipe: Recipe
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    residual: bool = False
    joint: str | None = None


DEFAULT_PAIR = {"sr": "dbpn", "seg": "segnet"}

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # Sections 3.3 and 4.2 of the paper.
        "paper": Preset(recipe=Recipe()),
        # A nineteenth of the parameters; trains from scratch in minutes on two cores.
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
        # One network for both images, with a fifth of slim's arithmetic.
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
    """Return network and recipe of a preset, with some values replaced.

    Args:
        preset: a name in `PRESETS`.
        protocol: see `NetworkConfig`.
        upscale_factor: target pixels per source pixel along each axis.
        replaced: values by name: fields of `Recipe`; ``rate``, the default learning rate of both
            parts; ``max_steps``, see `Recipe.limited`; ``sr``, ``seg``, ``residual`` and
            ``joint``; options of the networks, such as ``sr_stages``; and ``sr_options``,
            ``seg_options`` and ``joint_options``, options by name with values that may be text.

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
    named: dict[str, Any] = {"joint": joint}
    if joint is None:
        named = {part: str(network.pop(part, name)) for part, name in DEFAULT_PAIR.items()}
    options: dict[str, Any] = {
        f"{part}_options": {**base.options.get(name, {}), **_options_of(part, name, network)}
        for part, name in named.items()
    }
    if joint is None:
        named["residual"] = bool(network.pop("residual", base.residual))
    if network:
        why = f" beside the network {joint}, which is one for both" if joint else ""
        raise ValueError(f"neither recipe nor networks have `{sorted(network)[0]}`{why}")
    config = NetworkConfig(
        protocol=protocol,
        bands=bands,
        classes=classes,
        upscale_factor=upscale_factor,
        **named,
        **options,
    )
    return config, recipe


def _options_of(part: str, name: str, replaced: dict[str, Any]) -> dict[str, Any]:
    """Remove and return a network's options: ``PART_options`` and names with prefix ``PART_``."""
    listed = read_options(part, name, replaced.pop(f"{part}_options", {}))
    names = [each for each in replaced if each.startswith(f"{part}_")]
    return {each.removeprefix(f"{part}_"): replaced.pop(each) for each in names} | listed
