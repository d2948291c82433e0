"""STAC items against the schemas that pystac ships: STAC itself, not its extensions.

The extensions' schemas are on the network only. Their fields are read back through pystac's
own classes instead.
"""

from typing import Any

import jsonschema
import pystac
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource


def check_schema(values: dict[str, Any], kind: str) -> None:
    """A plain dictionary is what STAC's schema of this kind says, ``item`` or ``collection``."""
    schemas = get_local_schema_cache()
    resources = [(uri, Resource.from_contents(schema)) for uri, schema in schemas.items()]
    (schema,) = (schema for uri, schema in schemas.items() if uri.endswith(f"/{kind}.json"))
    validator = jsonschema.Draft7Validator(schema, registry=Registry().with_resources(resources))
    assert [error.message for error in validator.iter_errors(values)] == []


def read_item(values: dict[str, Any]) -> pystac.Item:
    """The item of a plain dictionary, which is valid."""
    check_schema(values, "item")
    return pystac.Item.from_dict(values, preserve_dict=True)
