"""Every error that geosrseg raises on purpose.

    GeosrsegError
    ├── SceneError         the scene cannot be read, or is not what the model expects
    ├── ModelError         the model file is refused
    ├── DeviceError        the device that was asked for cannot be used
    │   └── DeviceMemoryError  it has not enough memory for what it was given
    ├── OutputError        the output cannot be written, or did not come out as computed
    │   └── OutputBusyError    another process is making it
    ├── DatasetError       the training data is missing, wrong or incomplete
    ├── RunError           a training run cannot be started, read or continued
    ├── MissingExtraError  a package of an optional extra is not installed
    ├── WorkError          a work file, or a task of it, cannot be run here
    └── PluginError        a package that adds to geosrseg cannot be used

A message names the value, what was expected and what to do about it, in one line. The
command line prints it and exits with 1; everything else that escapes is a bug.
"""


class GeosrsegError(Exception):
    """Root of the tree: catch this to catch every failure the library foresees."""


class SceneError(GeosrsegError):
    """The scene cannot be read, or is not what the model expects."""


class ModelError(GeosrsegError):
    """The model file is refused."""


class DeviceError(GeosrsegError):
    """The device that was asked for cannot be used."""


class DeviceMemoryError(DeviceError):
    """The device has not enough memory for what it was given."""


class OutputError(GeosrsegError):
    """The output cannot be written, or did not come out as computed."""


class OutputBusyError(OutputError):
    """Another process is making the output."""


class DatasetError(GeosrsegError):
    """The training data is missing, wrong or incomplete."""


class RunError(GeosrsegError):
    """A training run cannot be started, read or continued."""


class WorkError(GeosrsegError):
    """A work file, or a task of it, cannot be run here."""


class MissingExtraError(GeosrsegError):
    """A package of an optional extra is not installed."""


class PluginError(GeosrsegError):
    """A package that adds to geosrseg cannot be used."""


class RunWarning(UserWarning):
    """Something about a run that was taken for granted and that its user should hear."""


class SceneWarning(UserWarning):
    """Something about a scene or a map that its user should hear."""


class DatasetWarning(UserWarning):
    """Something about a dataset that was taken for granted and that its user should hear."""
