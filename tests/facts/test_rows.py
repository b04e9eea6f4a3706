import json
import re

import pytest

from sovereignmesh.errors import FactsError
from sovereignmesh.facts import (
    find_global_service,
    find_resource_type,
    load_rows,
    resource_types,
    supports_tags,
)
from sovereignmesh.yamlfile import parse

GOOD = """
Microsoft.Storage/storageAccounts:
  title: storage account
  customer-managed-key:
    source: policy:6fac406b-40ca-413b-bf8e-0bf964659c25
    checked: '2026-11-24'
    readings: [{at: properties.encryption.keySource, yes: [Microsoft.Keyvault], no: [Microsoft.Storage]}]
    absent: 'no'
  replica-region:
    source: https://learn.microsoft.com/azure/storage/common/storage-redundancy
    checked: '2026-11-24'
    copies:
      - {name: secondary, exists: {at: sku.name, yes: [X]}, at: properties.secondaryLocation, absent: unknown}
  key-residency:
    source: https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview
    checked: '2026-11-24'
    vault: properties.encryption.keyvaultproperties.keyvaulturi
"""


def load(text):
    return load_rows(parse(text.encode(), "test.yaml").value, "test.yaml")


def test_a_complete_row_loads():
    (row,) = load(GOOD)
    assert set(row.rules) == {"customer-managed-key", "replica-region", "key-residency"}


# What is taken away or changed, and what the loader says.
INCOMPLETE = {
    "no title": (r"  title: .*\n", "", "`title` is missing"),
    "no source": (r"    source: policy.*\n", "", "`source` must be"),
    "a source that is none": (r"source: policy\S+", "source: everybody knows", "`source` must be"),
    "no date": (r"    checked: '2026-11-24'\n    readings", "    readings", "`checked` must be"),
    "a date that is none": (
        r"checked: '2026-11-24'\n    readings",
        "checked: '24 November'\n    readings",
        "`checked`",
    ),
    "no word on silence": (r"    absent: 'no'\n", "", "`absent` must be one of"),
    "a wrong word on silence": (r"absent: 'no'", "absent: fine", "`absent` must be one of"),
    "no word on a copy's silence": (r", absent: unknown", "", "`absent` must be one of"),
    "a copy without a place": (
        r", at: properties.secondaryLocation",
        "",
        "one of `at`, `of`, `pair: true` and `unclear`, unless",
    ),
    "no readings": (r"readings: .*", "readings: []", "`readings` is empty"),
    "an unknown key": (r"    absent: 'no'", "    absent: 'no'\n    abesnt: 'no'", "`abesnt` means nothing here"),
    "an unknown check": (r"  key-residency:", "  key-residenz:", "`key-residenz` means nothing here"),
    "no rule form": (r"    vault: .*\n", "", "has none of"),
    "half of a pair": (r"    vault: .*\n", "    through: properties.set\n", "go together"),
    "a broken expression": (r"properties.encryption.keySource", "properties..keySource", "is not JMESPath"),
    "a name that is none": (r"Microsoft.Storage/storageAccounts", "storage", "not a resource type name"),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_an_incomplete_row_is_refused(case):
    pattern, change, message = INCOMPLETE[case]
    text, count = re.subn(pattern, change, GOOD)
    assert count
    with pytest.raises(FactsError, match=re.escape(message)) as error:
        load(text)
    assert "test.yaml" in str(error.value)


def test_a_row_that_says_nothing_is_refused():
    with pytest.raises(FactsError, match="says nothing"):
        load("Microsoft.Web/sites: {title: web app}")


def test_the_tables_load_and_are_looked_up_without_case():
    assert len(resource_types()) > 5
    assert find_resource_type("MICROSOFT.storage/StorageAccounts").title == "storage account"
    assert find_resource_type("Microsoft.Nothing/here") is None


def test_every_policy_that_a_row_cites_exists_and_is_in_force(recorded):
    known = {}
    for name in ("cmk_policies", "network_policies", "residency_tag_policies"):
        for policy in json.loads((recorded / "facts" / f"{name}.json").read_text()):
            known[policy["policy_id"]] = policy
    for row in resource_types().values():
        for rule in row.rules.values():
            for source in rule.source:
                if source.startswith("policy:"):
                    policy = known[source.removeprefix("policy:")]
                    assert not policy["deprecated"], (row.name, rule.check, policy["display_name"])


def test_tag_support():
    assert supports_tags("Microsoft.Storage/storageAccounts") is True
    assert supports_tags("Microsoft.Cache/redis/firewallRules") is False
    assert supports_tags("microsoft.nothing/here") is None


def test_global_services():
    assert find_global_service("Microsoft.Network/dnsZones").kind == "no-customer-data"
    communication = find_global_service("microsoft.communication/communicationservices")
    assert communication.at.text == "properties.dataLocation"
    assert communication.places["germany"] == {"germanywestcentral", "germanynorth"}
    assert find_global_service("microsoft.storage/storageaccounts") is None
