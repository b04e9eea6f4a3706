"""A tiny estate, and a client that speaks to it over the wire."""

import json

import pytest
from sandbox.tiny import HIDDEN, ONE, TENANT, TWO, Client, children, policies, rows


@pytest.fixture
def build_estate(tmp_path):
    """Writes an estate; `roles` are the caller's."""

    def build(roles, definitions=None, name="tiny"):
        folder = tmp_path / name
        folder.mkdir()
        described = {
            "description": "A tiny estate.",
            "tenant": {"id": TENANT, "displayName": "Tiny", "defaultDomain": "tiny.example"},
            "principal": {"id": "00000000-0000-0000-0000-00000000cafe", "name": "reader"},
            "management_groups": [
                {"name": "mg-top", "displayName": "Top", "parent": None},
                {"name": "mg-left", "displayName": "Left", "parent": "mg-top"},
                {"name": "mg-right", "displayName": "Right", "parent": "mg-top"},
            ],
            "subscriptions": {
                ONE: {"parent": "mg-left"},
                TWO: {"parent": "mg-right"},
                HIDDEN: {"parent": TENANT},
            },
            "roles": [{"scope": scope, "role": role} for scope, role in roles],
            "role_definitions": definitions or {},
            "resources": "resources.jsonl",
            "children": "children.jsonl",
            "policy": "policy.jsonl",
            "mesh": "mesh",
        }
        (folder / "estate.json").write_text(json.dumps(described))
        (folder / "children.jsonl").write_text("".join(json.dumps(body) + "\n" for body in children()))
        (folder / "policy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in policies()))
        (folder / "resources.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
        return folder

    return build


@pytest.fixture
def open_client(build_estate):
    def open_it(roles=(("/providers/Microsoft.Management/managementGroups/mg-top", "Reader"),), **options):
        definitions = options.pop("definitions", None)
        return Client(build_estate(roles, definitions), **options)

    return open_it


@pytest.fixture
def client(open_client):
    return open_client()


@pytest.fixture
def owner(open_client):
    return open_client([("/", "Owner")])
