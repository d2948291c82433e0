"""Pure values and arithmetic: no I/O, no network runtime, no command line."""
