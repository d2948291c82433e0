"""High-resolution class maps from low-resolution satellite images.

Every command has a function here that takes the same options::

    import geosrseg

    geosrseg.predict("scene.tif", "classes.tif", confidence=True)

    with geosrseg.open_model("gewata-4x") as model:
        found = model.map_array(array, transform=transform, crs=crs)

docs/python.md shows how to use the public names, docs/extending.md how to add layers, product
files, devices, datasets and networks. ``__init__.pyi`` lists the names, for type checkers and for
this file: a module is loaded when one of its names is first used, so that ``import geosrseg`` is
fast and only training needs PyTorch.
"""

from importlib import import_module

from geosrseg.extras import extra


def _modules() -> dict[str, str]:
    """The module of each public name, from lines ``from MODULE import NAME as NAME``."""
    # Loading pathlib and re would take longer than everything else here.
    with open(f"{__path__[0]}/__init__.pyi", encoding="utf-8") as stub:  # noqa: PTH123
        lines = [line.split() for line in stub if line.startswith("from ")]
    return {words[3]: words[1] for words in lines}


_MODULES = _modules()

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extra("train"):
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
