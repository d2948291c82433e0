"""The machine that a training runs on: its device, memory, arithmetic, logs and trainer."""
