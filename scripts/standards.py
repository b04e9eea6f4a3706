"""Holds exports of many products, and our table of the standards' keys, against the standards' linters and schemas."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft201909Validator

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from products import EVERYTHING, products  # noqa: E402 - a helper of the tests

from sovereignmesh.mesh import DataProduct, load_mesh  # noqa: E402
from sovereignmesh.standards import export_contracts, export_odps  # noqa: E402
from sovereignmesh.standards.words import Standard, Version, keys_of  # noqa: E402
from sovereignmesh.yamlfile import dump  # noqa: E402

VERSIONS: dict[str, str] = {"3.2": "3.2.0", "3.1": "3.1.0", "3.0": "3.0.2"}
# Part of ours -> the definitions of a schema that together are it.
PARTS: dict[Standard, dict[str, tuple[str, ...]]] = {
    "odcs": {
        "contract": (), "object": ("SchemaElement", "SchemaObject"),
        "property": ("SchemaElement", "SchemaBaseProperty"), "value": ("EnumValue",),
        "quality": ("DataQuality", "DataQualityLibrary", "DataQualitySql", "DataQualityCustom", "DataQualityOperators"),
        "sla": ("ServiceLevelAgreementProperty",), "role": ("Role",), "support": ("SupportItem",),
        "price": ("Pricing",), "custom": ("CustomProperty",), "server": ("Server",), "member": ("TeamMember",),
    },
    "odps": {
        "product": (), "description": ("Description",), "input": ("InputPort",), "output": ("OutputPort",),
        "management": ("ManagementPort",), "support": ("Support",), "team": ("Team",), "member": ("TeamMember",),
        "definition": ("AuthoritativeDefinition",), "custom": ("CustomProperty",),
    },
}  # fmt: skip


def main(linters: Path) -> None:
    packages = "lib/python*/site-packages"
    schemas: dict[tuple[Standard, Version], Any] = {}
    for file in sorted(linters.glob(f"contract/{packages}/datacontract/schemas/odcs-*.schema.json")):
        schemas["odcs", version_of(file)] = json.loads(file.read_text())
    for file in sorted(linters.glob(f"product/{packages}/dataproduct/schemas/odps-*.schema.json")):
        schemas["odps", version_of(file)] = json.loads(file.read_text())
    problems = [
        problem for (standard, version), schema in schemas.items() for problem in compare(standard, version, schema)
    ]
    count = validate(schemas)
    print(f"{count} documents are valid against {len(schemas)} schemas")
    with tempfile.TemporaryDirectory() as folder:
        problems += lint(linters, Path(folder))
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


def version_of(file: Path) -> Version:
    major, minor, _ = file.name.split("-")[1].split(".")[:3]
    return int(major), int(minor)


def compare(standard: Standard, version: Version, schema: Any) -> list[str]:
    """Keys that only we, or only the schema, know in a part."""
    found = []
    for part, names in PARTS[standard].items():
        known = [schema["$defs"][name] for name in names if name in schema["$defs"]]
        if names and not known:
            continue  # a part of later versions
        theirs = set().union(*map(keys_in, known or [schema]))
        ours = set(keys_of(standard, part, version))
        found += [f"{standard} {version} {part}: only ours: {key}" for key in sorted(ours - theirs)]
        found += [f"{standard} {version} {part}: only theirs: {key}" for key in sorted(theirs - ours)]
    return found


def keys_in(definition: Any) -> set[str]:
    """The properties of a definition, also of those that only one branch of it has."""
    keys = set(definition.get("properties", ()))
    for word in ("allOf", "oneOf"):
        for branch in definition.get(word, ()):
            keys |= keys_in(branch) | keys_in(branch.get("then", {}))
    return keys


def validate(schemas: dict[tuple[Standard, Version], Any]) -> int:
    """The number of documents that are valid. Raises where one is not."""
    validators = {key: Draft201909Validator(schema) for key, schema in schemas.items()}
    count = 0

    @settings(
        max_examples=300,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(products())
    def every(product: DataProduct) -> None:
        nonlocal count
        for name in VERSIONS:
            major, minor = map(int, name.split("."))
            for document in export_contracts(product, version=name):
                validators["odcs", (major, minor)].validate(document)
                count += 1
        validators["odps", (1, 1)].validate(export_odps(product))
        count += 1

    every()
    return count


def lint(linters: Path, folder: Path) -> list[str]:
    """What the linters say against the exports of our meshes and of a product that says everything."""
    problems = []
    known = [product for mesh in ("contoso", "seed") for product in load_mesh(ROOT / "fixtures/mesh" / mesh).products]
    for name, version in VERSIONS.items():
        place = folder / version
        place.mkdir()
        for number, product in enumerate([DataProduct.model_validate(EVERYTHING), *known]):
            for index, document in enumerate(export_contracts(product, version=name)):
                file = place / f"{number}-{index}.odcs.yaml"
                file.write_text(dump(document))
                problems += run(linters / "contract/bin/datacontract", file, place)
            file = place / f"{number}.odps.yaml"
            file.write_text(dump(export_odps(product)))
            problems += run(linters / "product/bin/dataproduct", file, place)
        print(f"linted: contracts {version}")
    return problems


def run(linter: Path, file: Path, place: Path) -> list[str]:
    done = subprocess.run(
        [linter.absolute(), "lint", file.name], cwd=place, capture_output=True, text=True, check=False
    )
    text = done.stdout + done.stderr
    return [f"{linter.name} lint {file}:\n{text}"] if done.returncode else []


if __name__ == "__main__":
    main(Path(sys.argv[1]))
