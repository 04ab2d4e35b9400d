"""The defaults of a recipe's section, out of the JSON Schema that is made from the code: benches need not repeat them."""
from __future__ import annotations

import json
import os

SCHEMA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "recipes", "recipe.schema.json")


def section(name: str) -> dict:
    """Every field of the section that has a default."""
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)["properties"][name]
    return defaults(schema)


def defaults(schema: dict) -> dict:
    found = {}
    for field, inner in schema["properties"].items():
        if "default" in inner:
            found[field] = {**defaults(inner), **inner["default"]} if "properties" in inner else inner["default"]
    return found
