"""The runtimes, one file per device."""
