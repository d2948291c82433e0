"""Class maps as files: rows that survive a stop, COGs, sidecars."""
