"""The machine's part of a training: device, memory, arithmetic, loggers and trainer."""
