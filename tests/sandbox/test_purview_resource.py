"""Accounts of Purview in the sandbox's Azure Resource Manager, and beside what was recorded of them."""

import json
from urllib.parse import urlsplit

import pytest
import yaml
from sandbox.test_purview_recorded import names_in
from sandbox.tiny import ONE, TENANT, TWO, Client

VERSION = "2021-07-01"
SUBSCRIPTION = "77777777-7777-7777-7777-777777777777"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/governance-rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Purview/accounts/sovereign-purview"
PROVIDER = "/providers/Microsoft.Purview"
MADE = {"location": "westeurope", "identity": {"type": "SystemAssigned"}}


class Arm(Client):
    """A session on the seed's Azure Resource Manager; `ask` gives the answer and its status."""

    def __init__(self, folder="seed", **options):
        super().__init__(folder, **options)

    def ask(self, method, path, body=None, **options):
        answer = self.call(method, path, VERSION, json=body, **options)
        return answer, answer.json() if answer.content else None


@pytest.fixture
def arm():
    client = Arm()
    client.call("DELETE", ACCOUNT, VERSION)
    return client


def code(asked):
    answer, body = asked
    return answer.status_code, body["error"]["code"]


def settled(arm, path=ACCOUNT):
    """Reads an account until nothing is under way; its body, and the states that were seen."""
    states = []
    while not states or states[-1] == "Creating":
        answer, body = arm.ask("GET", path)
        states.append(body["properties"]["provisioningState"])
        assert len(states) < 10
    assert answer.headers["x-ms-account-status"]
    return body, states


def test_an_account_is_creating_until_it_was_read_a_few_times(arm):
    answer, made = arm.ask("PUT", ACCOUNT, MADE)
    assert (answer.status_code, answer.headers["x-ms-account-status"]) == (201, "Creating")
    assert answer.headers["Location"].startswith(f"https://management.azure.com{ACCOUNT}?")
    assert made["properties"]["provisioningState"] == "Creating"
    assert "managedResources" not in made["properties"]
    body, states = settled(arm)
    assert states == ["Creating", "Creating", "Succeeded"]
    group = made["properties"]["managedResourceGroupName"]
    assert body["properties"]["managedResources"]["resourceGroup"].endswith(f"/{group}")
    assert body["identity"]["principalId"] == made["identity"]["principalId"]
    again, _ = settled(arm)
    assert again == body


def test_a_later_process_finishes_what_was_begun(tmp_path):
    state = tmp_path / "state.json"
    arm = Arm(state=state)
    arm.ask("DELETE", ACCOUNT)
    arm.ask("PUT", ACCOUNT, MADE)
    _, states = settled(Arm(state=state))
    assert states[-1] == "Succeeded"


def test_a_change_is_under_way_until_its_operation_is_done(arm):
    arm.ask("PUT", ACCOUNT, {**MADE, "tags": {"a": "1"}})
    settled(arm)
    answer, body = arm.ask("PATCH", ACCOUNT, {"tags": {"b": "2"}, "properties": {"publicNetworkAccess": "Disabled"}})
    assert (answer.status_code, body["properties"]["provisioningState"]) == (202, "Creating")
    seen = []
    while not seen or seen[-1].status_code == 202:
        seen.append(arm.session.get(answer.headers["Location"]))
    assert [one.status_code for one in seen] == [202, 202, 200]
    assert not seen[0].content
    assert seen[-1].json()["tags"] == {"b": "2"}
    assert settled(arm)[0]["properties"]["publicNetworkAccess"] == "Disabled"


def test_identities_are_joined(arm):
    one, two = (f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" for name in ("a", "b"))
    arm.ask("PUT", ACCOUNT, {**MADE, "identity": {"type": "UserAssigned", "userAssignedIdentities": {one: {}}}})
    settled(arm)
    arm.ask("PATCH", ACCOUNT, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {two: {}}}})
    identity = settled(arm)[0]["identity"]
    assert set(identity["userAssignedIdentities"]) == {one, two}
    assert all(one["principalId"] and one["clientId"] for one in identity["userAssignedIdentities"].values())
    assert "principalId" not in identity


def test_nothing_is_changed_while_something_is(arm):
    arm.ask("PUT", ACCOUNT, MADE)
    assert code(arm.ask("PATCH", ACCOUNT, {"tags": {"a": "1"}})) == (409, "AccountBusy")
    assert code(arm.ask("PUT", ACCOUNT, MADE)) == (409, "AccountBusy")
    settled(arm)
    answer, body = arm.ask("PUT", ACCOUNT, {**MADE, "location": "West Europe", "tags": {"a": "1"}})
    assert (answer.status_code, body["tags"], body["location"]) == (200, {"a": "1"}, "westeurope")


BAD = {
    "no location": ({"identity": MADE["identity"]}, ACCOUNT, (400, "LocationRequired")),
    "no identity": ({"location": "westeurope"}, ACCOUNT, (400, "InvalidRequest")),
    "a place without": ({**MADE, "location": "francesouth"}, ACCOUNT, (400, "LocationNotAvailableForResourceType")),
    "an access": ({**MADE, "properties": {"publicNetworkAccess": "Open"}}, ACCOUNT, (400, "InvalidRequest")),
    "a type": ({**MADE, "identity": {"type": "Mine"}}, ACCOUNT, (400, "InvalidRequest")),
    "a short name": (MADE, ACCOUNT[:-15], (400, "InvalidRequest")),
    "a long name": (MADE, f"{ACCOUNT}{'x' * 63}", (400, "InvalidRequest")),
    "two hyphens": (MADE, f"{ACCOUNT}--x", (400, "InvalidRequest")),
    "no group": (MADE, ACCOUNT.replace("governance", "no"), (404, "ResourceGroupNotFound")),
}  # fmt: skip


@pytest.mark.off_spec("accountName")
@pytest.mark.parametrize("name", ["a short name", "a long name", "two hyphens"])
def test_what_the_specification_refuses_is_refused(arm, name):
    body, path, refusal = BAD[name]
    assert code(arm.ask("PUT", path, body)) == refusal


@pytest.mark.parametrize("name", ["no location", "no identity", "a place without", "an access", "a type", "no group"])
def test_what_cannot_be_made_is_refused(arm, name):
    body, path, refusal = BAD[name]
    assert code(arm.ask("PUT", path, body)) == refusal


@pytest.mark.off_spec("is not of type")
@pytest.mark.parametrize("part", ["properties", "identity", "tags"])
def test_what_is_no_object_is_refused(arm, part):
    assert code(arm.ask("PUT", ACCOUNT, {**MADE, part: ["x"]})) == (400, "InvalidRequest")


def test_an_account_that_an_estate_describes_otherwise_can_be_changed(build_estate):
    """One without a group for resources of its own, as newer accounts are."""
    folder = build_estate([("/", "Owner")])
    path = f"/subscriptions/{ONE}/resourceGroups/App-RG/providers/Microsoft.Purview/accounts/own-account"
    lines = (folder / "resources.jsonl").read_text().splitlines()
    row = {**json.loads(lines[-2]), "id": path, "name": "own-account", "type": "microsoft.purview/accounts"}
    (folder / "resources.jsonl").write_text("\n".join([*lines, json.dumps({**row, "properties": None})]))
    arm = Client(folder)
    assert arm.call("GET", path, VERSION).status_code == 200
    assert arm.call("PATCH", path, VERSION, json={"tags": {"a": "1"}}).status_code == 202
    for _ in range(3):
        body = arm.call("GET", path, VERSION).json()
    assert (body["properties"], body["tags"]) == ({"provisioningState": "Succeeded"}, {"a": "1"})


def test_what_cannot_change_is_refused(arm):
    arm.ask("PUT", ACCOUNT, MADE)
    settled(arm)
    moved = arm.ask("PUT", ACCOUNT, {**MADE, "location": "northeurope"})
    assert code(moved) == (409, "InvalidResourceLocation")
    managed = arm.ask("PATCH", ACCOUNT, {"properties": {"managedResourceGroupName": "other-rg"}})
    assert code(managed) == (400, "InvalidRequest")
    assert code(arm.ask("PATCH", ACCOUNT.replace("sovereign", "other"), {"tags": {}})) == (404, "ResourceNotFound")


def available(arm, name, subscription=SUBSCRIPTION):
    body = {"name": name, "type": "Microsoft.Purview/accounts"}
    return arm.ask("POST", f"/subscriptions/{subscription}{PROVIDER}/checkNameAvailability", body)[1]


def test_a_name_is_free_or_says_why_not():
    arm = Arm()
    assert available(arm, "other-purview") == {"nameAvailable": True}
    assert available(arm, "SOVEREIGN-purview")["reason"] == "AlreadyExists"
    assert available(arm, "a--b")["reason"] == "Invalid"
    assert code(arm.ask("POST", f"/subscriptions/{ONE}{PROVIDER}/checkNameAvailability", {"name": "abc"})) == (
        404,
        "SubscriptionNotFound",
    )


def test_who_may_not_ask_is_refused(build_estate):
    arm = Client(build_estate([(f"/subscriptions/{ONE}/resourceGroups/App-RG", "Reader")]))
    body = {"name": "any-purview", "type": "Microsoft.Purview/accounts"}
    answer = arm.call("POST", f"/subscriptions/{ONE}{PROVIDER}/checkNameAvailability", VERSION, json=body)
    assert answer.json()["error"]["code"] == "AuthorizationFailed"
    path = f"/subscriptions/{ONE}/resourceGroups/App-RG/providers/Microsoft.Purview/accounts/any-purview"
    assert arm.call("PUT", path, VERSION, json=MADE).json()["error"]["code"] == "AuthorizationFailed"


def test_a_subscription_that_never_used_the_provider_is_not_registered(build_estate):
    arm = Client(build_estate([("/", "Owner")]))
    path = f"/subscriptions/{ONE}/resourceGroups/App-RG/providers/Microsoft.Purview/accounts/any-purview"
    answer = arm.call("PUT", path, VERSION, json=MADE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    told = arm.get(f"/subscriptions/{TWO}{PROVIDER}").json()
    assert told["registrationState"] == "NotRegistered"
    assert [kind["resourceType"] for kind in told["resourceTypes"]] == ["accounts"]
    assert arm.get(f"/subscriptions/{TWO}/providers/Microsoft.Web").json()["resourceTypes"] == []
    asked = {"scopeTenantId": TENANT, "scopeType": "Tenant"}
    assert arm.get(f"{PROVIDER}/getDefaultAccount", version=VERSION, params=asked).status_code == 404


def test_a_tenant_that_has_its_own_account_gets_no_other():
    arm = Arm()
    answer, body = arm.ask("PUT", ACCOUNT.replace("sovereign", "other"), MADE)
    assert code((answer, body)) == (409, "35001")
    assert "An Enterprise Tenant-level Purview Account already exists" in body["error"]["message"]


def test_the_default_account_is_set_shown_and_removed(tmp_path):
    state, tenant = tmp_path / "state.json", "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"
    asked = {"scopeTenantId": tenant, "scopeType": "Tenant"}
    arm = Arm(state=state)
    shown = arm.ask("GET", f"{PROVIDER}/getDefaultAccount", params=asked)[1]
    assert (shown["accountName"], shown["resourceGroupName"]) == ("sovereign-purview", "governance-rg")
    assert arm.ask("POST", f"{PROVIDER}/removeDefaultAccount", params=asked)[0].status_code == 200
    assert arm.ask("POST", f"{PROVIDER}/removeDefaultAccount", params=asked)[0].status_code == 204
    later = Arm(state=state)
    assert later.ask("GET", f"{PROVIDER}/getDefaultAccount", params=asked)[0].status_code == 404
    named = {"accountName": "sovereign-purview", "resourceGroupName": "governance-rg", "subscriptionId": SUBSCRIPTION}
    assert later.ask("POST", f"{PROVIDER}/setDefaultAccount", {**named, "scopeTenantId": tenant})[1] == shown
    assert later.ask("GET", f"{PROVIDER}/getDefaultAccount", params=asked)[1] == shown
    other = {**named, "accountName": "other-purview", "scopeTenantId": tenant}
    assert later.ask("POST", f"{PROVIDER}/setDefaultAccount", other)[0].status_code == 404
    foreign = {"scopeTenantId": TENANT, "scopeType": "Tenant"}
    assert later.ask("GET", f"{PROVIDER}/getDefaultAccount", params=foreign)[0].status_code == 400
    later.ask("DELETE", ACCOUNT)
    assert later.ask("GET", f"{PROVIDER}/getDefaultAccount", params=asked)[0].status_code == 404


# Of operations that this sandbox has not: keys, an administrator of the root, a deletion that takes its time.
WITHOUT = ("/addrootcollectionadmin", "/listkeys", "/locations/")


@pytest.mark.parametrize("name", ["test_purview_account", "test_purview_default_account"])
def test_requests_have_the_recorded_answers(arm, recorded, name):
    """The same status and the same names, whatever the values, in each state that an account goes through."""
    entries = yaml.safe_load((recorded / f"recordings/purview/azcli/{name}.yaml").read_text())["interactions"]
    tenant, compared = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb", set()
    location = ""
    for entry in entries:
        method, parts = entry["request"]["method"], urlsplit(entry["request"]["uri"])
        path = parts.path.replace("/pv-000002", "/sovereign-purview").replace("cli_test_purview000001", "governance-rg")
        path = path.replace("00000000-0000-0000-0000-000000000000", SUBSCRIPTION)
        if (
            any(part in path.lower() for part in WITHOUT)
            or method == "DELETE"
            or parts.query.startswith("api-version=2022")
        ):
            continue
        query = parts.query.replace("54826b22-38d6-4fb2-bad9-b7b93a3e9c5a", tenant)
        sent = yaml.safe_load(entry["request"]["body"] or "null")
        if isinstance(sent, dict) and "scopeTenantId" in sent:
            sent |= {
                "scopeTenantId": tenant, "subscriptionId": SUBSCRIPTION,
                "accountName": "sovereign-purview", "resourceGroupName": "governance-rg",
            }  # fmt: skip
        url = location if "/operationResults/" in path else f"https://management.azure.com{path}?{query}"
        answer = arm.session.request(method, url, json=sent)
        location = answer.headers.get("Location", location)
        theirs = entry["response"]
        status, body = theirs["status"]["code"], yaml.safe_load(theirs["body"]["string"] or "null")
        state = body["properties"]["provisioningState"] if isinstance(body, dict) and "properties" in body else ""
        ours = answer.json() if answer.content else None
        if "/operationResults/" in path and answer.status_code != status:
            continue  # it was asked less often then
        if state and ours["properties"]["provisioningState"] != state:
            continue
        assert answer.status_code == status, path
        names = set(names_in(body)) - {each for each in names_in(body) if each.startswith("value.")}
        assert {each for each in names - set(names_in(ours)) if "managedResources" not in each} == set(), path
        assert ("Location" in answer.headers) == ("location" in theirs["headers"]), path
        compared.add((method, status, state))
    assert len(compared) >= 5, compared
