"""``python -m geosrseg`` is ``geosrseg``."""

from geosrseg.cli.main import main

main(prog_name="geosrseg")
