"""Every error that geosrseg raises on purpose.

    GeosrsegError
    ├── SceneError         the scene cannot be read, or is not what the model expects
    ├── ModelError         the model file is refused
    ├── DeviceError        the requested device cannot be used
    │   └── DeviceMemoryError  the device has too little memory
    ├── OutputError        the output cannot be written, or differs from what was computed
    │   └── OutputBusyError    another process is making the output
    ├── DatasetError       the training data is missing, wrong or incomplete
    ├── RunError           a training run cannot be started, read or continued
    ├── MissingExtraError  a package of an optional extra is not installed
    ├── WorkError          a work file, or one of its tasks, cannot be run here
    └── PluginError        a plugin package cannot be used

A message is one line that names the value, what was expected and what to do about it. The
command line prints it and exits with 1. Any other exception that reaches the user is a bug.
"""


class GeosrsegError(Exception):
    """Root of the tree: catch it to catch every failure that the library foresees."""


class SceneError(GeosrsegError):
    """The scene cannot be read, or is not what the model expects."""


class ModelError(GeosrsegError):
    """The model file is refused."""


class DeviceError(GeosrsegError):
    """The requested device cannot be used."""


class DeviceMemoryError(DeviceError):
    """The device has too little memory."""


class OutputError(GeosrsegError):
    """The output cannot be written, or differs from what was computed."""


class OutputBusyError(OutputError):
    """Another process is making the output."""


class DatasetError(GeosrsegError):
    """The training data is missing, wrong or incomplete."""


class RunError(GeosrsegError):
    """A training run cannot be started, read or continued."""


class WorkError(GeosrsegError):
    """A work file, or one of its tasks, cannot be run here."""


class MissingExtraError(GeosrsegError):
    """A package of an optional extra is not installed."""


class PluginError(GeosrsegError):
    """A plugin package cannot be used."""


class RunWarning(UserWarning):
    """An assumption about a run that the user should confirm."""


class SceneWarning(UserWarning):
    """Something about a scene or a map that the user should know."""


class DatasetWarning(UserWarning):
    """An assumption about a dataset that the user should confirm."""
