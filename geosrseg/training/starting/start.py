"""Start: the initial weights of a training, and which of them stay fixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.option import option
from geosrseg.errors import RunError

FREEZABLE = ("sr", "seg", "encoder")
"""Parts of a network that can stay fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The initial weights of a training; random without any."""

    init: str | Path | None = option(
        "Initial weights: a run folder, a model file or the name of a shipped model.",
        metavar="MODEL",
    )
    init_sr: str | Path | None = option("Published D-DBPN weights to start from.", metavar="FILE")
    init_seg: str | Path | None = option(
        "Published encoder weights to start from: VGG16's for SegNet, the library's for smp:...; "
        "vgg16 downloads torchvision's.",
        metavar="vgg16|FILE",
    )
    freeze: str | Sequence[str] = option(
        "Parts whose initial weights stay fixed: sr, seg, encoder.",
        (),
        kind="names",
        metavar="PART,...",
    )

    def __post_init__(self) -> None:
        parts = self.freeze.split(",") if isinstance(self.freeze, str) else self.freeze or ()
        frozen = tuple(part.strip() for part in parts if part.strip())
        object.__setattr__(self, "freeze", frozen)
        if unknown := [part for part in frozen if part not in FREEZABLE]:
            raise RunError(f"`freeze` {unknown[0]}: expected some of {', '.join(FREEZABLE)}")
        if frozen and not (self.init or self.init_sr or self.init_seg):
            raise RunError(
                f"`freeze` {','.join(frozen)}: random weights would stay so; give initial ones, "
                "`init`"
            )


RANDOM = Start()
