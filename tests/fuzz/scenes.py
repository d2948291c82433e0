"""Fuzz what reads a scene: odd TIFFs with some of their bytes changed, from the top folder:

    python -m tests.fuzz.scenes SEED SECONDS FOLDER

Each is read in a fork with limits on memory and time. What is neither read nor refused in
one line is kept in FOLDER.
"""

import contextlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from tests.shared_data import ROOT

MEMORY = 3 * 2**30
SECONDS = 60
LARGEST = 20_000
"""Bytes of the files to begin with."""

TELLING = (0, 1, 2, 3, 8, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
"""Numbers at which readers go wrong."""


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Change a few bytes, half of them where the header is."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        place = rng.randrange(len(changed) if rng.random() < 0.5 else min(len(changed), 600))
        kind = rng.randrange(5)
        if kind == 0:
            changed[place] = rng.randrange(256)
        elif kind == 1:
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == 2:
            size, order = rng.choice((2, 4)), rng.choice(("little", "big"))
            number = rng.choice(TELLING) % 256**size
            changed[place : place + size] = number.to_bytes(size, order)
        elif kind == 3 and len(changed) > 100:
            del changed[place : place + rng.randrange(1, 64)]
        else:
            changed[place:place] = rng.randbytes(rng.randrange(1, 32))
    return bytes(changed)


def read(path: Path, *, told: bool, skip: bool) -> str:
    """Read all of a scene; gives what it came to."""
    scale = 0.01 if told else None
    try:
        with open_scene(
            path,
            model_bands=("band",),
            bands="1",
            scale=scale,
            max_pixels=2_000_000,
            skip_bad_blocks=skip,
        ) as scene:
            height, width = scene.grid.height, scene.grid.width
            for row in range(0, height, 512):
                scene.read(Window(row, 0, 512, width).clipped(height, width))
            scene.read_decimated(9, 7)
    except SceneError as error:
        return "refused" if "\n" not in str(error) else f"of two lines: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "read"


def read_in_fork(path: Path, rng: random.Random) -> str:
    """As `read`, or how the fork died."""
    told, skip = rng.random() < 0.7, rng.random() < 0.3
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.alarm(SECONDS)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            os.write(writer, read(path, told=told, skip=skip).encode()[:4000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        outcome = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return outcome or f"died with status {status}"


def main(seed: int, seconds: float, folder: Path) -> None:
    rng, counts, end = random.Random(seed), Counter(), time.monotonic() + seconds
    seeds = [p for p in sorted((ROOT / "edge_cases").rglob("*.tif*")) if p.stat().st_size < LARGEST]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "scene.tif")
        while time.monotonic() < end:
            path.write_bytes(mutate(rng.choice(seeds).read_bytes(), rng))
            outcome = read_in_fork(path, rng)
            counts[outcome] += 1
            if outcome not in {"read", "refused"}:
                folder.mkdir(exist_ok=True)
                (folder / f"{seed}-{counts.total()}.tif").write_bytes(path.read_bytes())
    sys.stdout.write("".join(f"{count:8} {outcome}\n" for outcome, count in counts.most_common()))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
