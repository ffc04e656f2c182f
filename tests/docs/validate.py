#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""validate.py FILE...: the JSON documents of sidestep in these files, as many as each has, are as docs/schemas says."""
import functools
import itertools
import json
import pathlib
import sys

import jsonschema
try:
    import referencing.jsonschema
except ImportError: # Debian 12's version has its own
    referencing = None

SCHEMAS = {path.name: json.loads(path.read_text()) for path in
           (pathlib.Path(__file__).resolve().parents[2] / "docs/schemas").glob("*.json")}


def schema_of(document):
    """The file that describes a document; a time line does not say what it is."""
    return document.get("schema", "sidestep.trace") + ".schema.json"


@functools.lru_cache
def validator_of(name, kind=jsonschema.Draft202012Validator):
    if not referencing:
        return kind(SCHEMAS[name], resolver=jsonschema.RefResolver("", SCHEMAS[name], SCHEMAS))
    resources = {path: referencing.jsonschema.DRAFT202012.create_resource(schema) for path, schema in SCHEMAS.items()}
    return kind(SCHEMAS[name], registry=referencing.Registry().with_resources(resources.items()))


def documents_in(text):
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        text = text[end:]
        yield document


def main():
    faults = 0
    for name in sys.argv[1:]:
        for document in documents_in(pathlib.Path(name).read_text()):
            for error in itertools.islice(validator_of(schema_of(document)).iter_errors(document), 20):
                print(f"{name}: {error.json_path}: {error.message[:300]}")
                faults += 1
    return faults != 0


if __name__ == "__main__":
    sys.exit(main())
