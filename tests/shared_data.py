"""Real data too large for the repository; tests that need it skip where it is not."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "shared" / "data"


def shared(name: str) -> Path:
    """A folder of the shared data; the test is skipped where there is none."""
    folder = ROOT / name
    if not folder.is_dir():
        pytest.skip(f"the dataset {name} is not at {folder}")
    return folder
