"""STAC items against the schemas that pystac ships: STAC itself, not its extensions.

The extensions' schemas are on the network only. Their fields are read back through pystac's
own classes instead.
"""

from typing import Any

import jsonschema
import pystac
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource


def read_item(values: dict[str, Any]) -> pystac.Item:
    """The item of a plain dictionary, which is valid."""
    schemas = get_local_schema_cache()
    resources = [(uri, Resource.from_contents(schema)) for uri, schema in schemas.items()]
    (item,) = (schema for uri, schema in schemas.items() if uri.endswith("/item.json"))
    validator = jsonschema.Draft7Validator(item, registry=Registry().with_resources(resources))
    assert [error.message for error in validator.iter_errors(values)] == []
    return pystac.Item.from_dict(values, preserve_dict=True)
