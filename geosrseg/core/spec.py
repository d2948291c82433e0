"""ModelSpec: the description stored in a model file, everything `predict` needs to know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from geosrseg.core.domain import Domain
from geosrseg.core.legend import Legend
from geosrseg.core.normalize import Normalization
from geosrseg.core.precision import PRECISIONS
from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.plain_text import check_text
from geosrseg.core.text.record import Record
from geosrseg.errors import ModelError

SPEC_VERSION = 1
"""Version of the JSON layout; files with a newer one are refused."""

SPEC_KEY = "geosrseg"
"""Key of the ONNX metadata entry that holds the ModelSpec as JSON."""

ABSENT: dict[str, Any] = {"measured_halo": None, "precisions": ["fp32"], "domain": {}}
"""Values of fields that older files lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """The contract of a model file.

    Attributes:
        name: short name, as in ``--model NAME``.
        version: version of the weights.
        bands: names of the input bands, in the order of the model's input.
        upscale_factor: target pixels per source pixel, along each axis.
        legend: the classes, in the order of the model's output.
        multiple: LR pixels; windows start and stop on multiples of this number.
        window_size: default side of the largest window in LR pixels; it bounds the memory.
        halo: LR pixels at a window's border that blending does not use.
        exact_halo: LR pixels beyond which a window's border changes nothing at all; None
            if the network looks at the whole window, or if unknown.
        measured_halo: LR pixels beyond which no label of the trained network was seen to
            change; None if not measured, or if no such distance was found.
        licence: licence of the weights.
        limits: where the model should not be trusted.
        metrics: metrics on the validation data, by name.
        config_hash: SHA-256 of the training configuration, in hexadecimal.
        temperature: divisor of the logits that calibrates the confidence, see
            `core.labels.percent`; 1 if not fitted.
        precisions: precisions in which the weights were measured to lose next to nothing.
        confusion: (classes, classes) pixels of the validation data, rows reference, columns
            prediction; empty if unknown.
        domain: the scenes that the model learned from; unknown in older files.
    """

    name: str
    version: str
    bands: tuple[str, ...]
    upscale_factor: int
    normalization: Normalization
    legend: Legend
    multiple: int
    window_size: int
    halo: int
    exact_halo: int | None
    measured_halo: int | None = None
    licence: str
    training_data: str
    limits: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    config_hash: str = ""
    temperature: float = 1.0
    precisions: tuple[str, ...] = ("fp32",)
    confusion: tuple[tuple[int, ...], ...] = ()
    domain: Domain = field(default_factory=Domain)

    def __post_init__(self) -> None:
        self._check_texts()
        if not self.bands or len(set(self.bands)) != len(self.bands):
            raise ValueError(f"bands have names that differ, got {self.bands}")
        if len(self.normalization.low) != len(self.bands):
            raise ValueError(
                f"{len(self.bands)} bands but normalization for {len(self.normalization.low)}"
            )
        if not 1 <= self.upscale_factor <= 16:
            raise ValueError(f"the upscale factor is 1 to 16, got {self.upscale_factor}")
        if not 1 <= self.multiple <= 1024:
            raise ValueError(f"the window multiple is 1 to 1024, got {self.multiple}")
        if not self.multiple <= self.window_size <= 16384:
            raise ValueError(
                f"the window size is the multiple ({self.multiple}) to 16384, "
                f"got {self.window_size}"
            )
        bound = 4096 if self.exact_halo is None else self.exact_halo
        if not 0 <= self.halo <= bound <= 4096:
            raise ValueError(
                f"0 <= halo <= exact_halo <= 4096, got {self.halo} and {self.exact_halo}"
            )
        if self.measured_halo is not None and not 0 <= self.measured_halo <= bound:
            raise ValueError(
                f"0 <= measured_halo <= exact_halo, got {self.measured_halo} and {bound}"
            )
        if not 0.01 <= self.temperature <= 100:
            raise ValueError(f"the temperature is 0.01 to 100, got {self.temperature}")
        if "fp32" not in self.precisions or not set(self.precisions) <= set(PRECISIONS):
            raise ValueError(
                f"the precisions are fp32 and others of {', '.join(PRECISIONS)}, "
                f"got {self.precisions}"
            )
        self._check_measured()

    def _check_texts(self) -> None:
        for what in ("name", "version", "config_hash"):
            check_text(getattr(self, what), what)
        for what in ("licence", "training_data", "limits"):
            check_text(getattr(self, what), what, lines=True)
        for text in (*self.bands, *self.metrics):
            check_text(text, "the name of a band or metric")

    @property
    def widest_halo(self) -> int:
        """The exact halo if known, otherwise the default halo."""
        return self.halo if self.exact_halo is None else self.exact_halo

    def _check_measured(self) -> None:
        sizes = {len(self.confusion), *map(len, self.confusion)}
        if self.confusion and sizes != {len(self.legend)}:
            raise ValueError(
                f"the confusion matrix has a row and a column for each of "
                f"{len(self.legend)} classes"
            )
        if self.domain.shares and len(self.domain.shares) != len(self.legend):
            raise ValueError(
                f"{len(self.legend)} classes but shares of {len(self.domain.shares)} in images"
            )
        if self.domain.quantiles and len(self.domain.quantiles) != len(self.bands):
            raise ValueError(
                f"{len(self.bands)} bands but quantiles for {len(self.domain.quantiles)}"
            )

    def to_json(self) -> str:
        """Return the ModelSpec as one JSON object, its keys in the order of the fields."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        nested = {
            "normalization": self.normalization.to_json(),
            "legend": self.legend.to_json(),
            "metrics": dict(self.metrics),
            "domain": self.domain.to_json(),
        }
        return json.dumps({"spec_version": SPEC_VERSION, **values, **nested}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """Read what `to_json` wrote.

        Raises:
            ModelError: the text is not a ModelSpec, has a newer version, or is inconsistent.
        """
        try:
            record = Record(parse_json(text))
            version = record.integer("spec_version")
            if version > SPEC_VERSION:
                raise ModelError(
                    f"the ModelSpec has version {version}, this geosrseg reads up to "
                    f"{SPEC_VERSION}: upgrade geosrseg"
                )
            return cls(**_fields(Record({**ABSENT, **record.values})))
        except ValueError as error:
            raise ModelError(f"the ModelSpec is not valid: {error}") from error


def _fields(record: Record) -> dict[str, Any]:
    texts = ("name", "version", "licence", "training_data", "limits", "config_hash")
    numbers = ("upscale_factor", "multiple", "window_size", "halo")
    return {
        **{key: record.text(key) for key in texts},
        **{key: record.integer(key) for key in numbers},
        "exact_halo": record.integer_or_null("exact_halo"),
        "measured_halo": record.integer_or_null("measured_halo"),
        "bands": record.texts("bands"),
        "normalization": Normalization.from_json(record.mapping("normalization")),
        "legend": Legend.from_json(record.mappings("legend")),
        "metrics": record.number_by_name("metrics"),
        "temperature": record.number("temperature", default=1.0),
        "precisions": record.texts("precisions"),
        "confusion": record.counts("confusion"),
        "domain": Domain.from_json(record.mapping("domain")),
    }
