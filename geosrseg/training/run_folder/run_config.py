"""RunConfig: the configuration of a run: data, network and recipe, as ``config.json``."""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from geosrseg.core.domain import UNKNOWN, Domain
from geosrseg.core.legend import Legend
from geosrseg.core.normalize import Normalization
from geosrseg.core.text.json_text import parse_json
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """The data, network and recipe of a run.

    Attributes:
        source: origin of the data.
        licence: licence of the data.
        normalization: reflectance to network input.
        teacher: SHA-256 of the teacher's weights; empty without a teacher.
        domain: domain of the training scenes.
        init: SHA-256 of each file of initial weights.
        freeze: parts that kept their initial weights.
        fold: see `DatasetCard`.
    """

    dataset: str
    source: str
    licence: str
    bands: tuple[str, ...]
    legend: Legend
    normalization: Normalization
    network: NetworkConfig
    recipe: Recipe
    teacher: str = ""
    domain: Domain = UNKNOWN
    init: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    fold: tuple[int, ...] = ()

    @classmethod
    def of(cls, card: DatasetCard, **values: Any) -> "RunConfig":
        """Take from the card every attribute that it has and `values` lacks."""
        shared = ("source", "licence", "bands", "legend", "domain", "fold")
        return cls(dataset=card.name, **({name: getattr(card, name) for name in shared} | values))

    def to_json(self) -> str:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps(
            values, indent=2, ensure_ascii=False, default=lambda value: value.to_json()
        )

    @classmethod
    def from_json(cls, text: str) -> "RunConfig":
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: a value is missing or wrong.
        """
        values: dict[str, Any] = parse_json(text)
        return cls(
            dataset=values["dataset"],
            source=values["source"],
            licence=values["licence"],
            bands=tuple(values["bands"]),
            legend=Legend.from_json(values["legend"]),
            normalization=Normalization.from_json(values["normalization"]),
            network=NetworkConfig(**values["network"]),
            recipe=Recipe(**values["recipe"]),
            teacher=values.get("teacher", ""),
            domain=Domain.from_json(values.get("domain", {})),  # older runs lack these
            init=tuple(values.get("init", ())),
            freeze=tuple(values.get("freeze", ())),
            fold=tuple(values.get("fold", ())),
        )

    @property
    def sha256(self) -> str:
        """Hash of the JSON form, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
