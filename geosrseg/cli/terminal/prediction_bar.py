"""The progress bar of ``predict``: phase, progress, speed and time left."""

from typing import TYPE_CHECKING, Self

from geosrseg.cli.terminal.progress import bar_place, fit_line, time_left

if TYPE_CHECKING:
    from tqdm import tqdm

    from geosrseg.mapping.prediction import Phase, Progress

DOING: "dict[Phase, str]" = {
    "reading": "reading the scene",
    "writing": "writing the map",
    "checking": "checking what was written",
}
"""Text of the phases without figures."""


class PredictionBar:
    """One line on a terminal that vanishes when the map is finished; nothing elsewhere.

    Windows of an earlier run count neither for the speed nor for the time left.
    """

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __enter__(self) -> Self:
        self._start("opening model and scene", total=0, initial=0)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def show(self, progress: "Progress") -> None:
        if progress.phase == "reading" or self._bar is None:
            self.close()  # the line of the scene before
            self._start(DOING["reading"], total=progress.windows_total, initial=progress.resumed)
        bar = self._bar
        if bar is None or bar.disable:
            return
        if progress.phase != "network":
            bar.bar_format = fit_line(
                bar.format_dict["ncols"], DOING[progress.phase], [], bar=False
            )
            bar.refresh()
            return
        entered = bar.n == progress.windows_done
        drawn = bar.update(progress.windows_done - bar.n)  # with the line before
        bar.bar_format = self._line(bar, progress)
        if entered or drawn:
            bar.refresh()

    def _start(self, doing: str, *, total: int, initial: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, initial=initial, bar_format=doing, leave=False, **bar_place())

    @staticmethod
    def _line(bar: "tqdm", progress: "Progress") -> str:
        done, total = progress.windows_done, progress.windows_total
        rate = bar.format_dict["rate"]
        speed = f"{rate * progress.target_pixels / 1e6:.2g} HR Mpx/s" if rate else ""
        return fit_line(
            bar.format_dict["ncols"],
            f"network {done / max(total, 1):4.0%}",
            [time_left(bar), speed, f"{done}/{total} windows"],
        )
