"""What the wrappers of Purview send and read: against the sandbox, and against answers that are made up."""

import dataclasses
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from clock import pace_of

import sovereignmesh as sm
from sovereignmesh.azure import Cloud, Pace, connect
from sovereignmesh.azure.policies import _ATTEMPTS as ATTEMPTS
from sovereignmesh.azure.purview import (
    Classification,
    ClassificationRule,
    Collection,
    Credential,
    Filter,
    KeyVaultConnection,
    PurviewAccount,
    Ruleset,
    Scan,
    Source,
    Trigger,
    find_purview_account,
    list_purview_accounts,
)
from sovereignmesh.azure.purview.line import OPERATIONS, Capacity
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    ClosedNetworkError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    UnreachableError,
)
from sovereignmesh.plan import compare
from sovereignmesh.purview.kinds import KINDS
from sovereignmesh.purview.roles import assigned, with_roles

ARM_SCOPE = "https://management.azure.com/.default"
SCOPE = "https://purview.azure.net/.default"
ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ROOT = "https://contoso-purview.purview.azure.com"
SCAN = f"{ROOT}/scan"
TYPES = f"{ROOT}/datamap/api/atlas/v2/types"
SEED = "/subscriptions/77777777-7777-7777-7777-777777777777/resourceGroups/governance-rg"
SERVER = "/subscriptions/77777777-7777-7777-7777-777777777777/resourceGroups/sales-rg/providers/Microsoft.Sql/servers"
HOME = "sovereign-purview"
RUN = "0f8fad5b-d9cb-469f-a165-70867728950e"


def place_of(name, subscription=ONE, group="governance-rg"):
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Purview/accounts/{name}"


ACCOUNT = PurviewAccount(place_of("contoso-purview"), "contoso-purview", "westeurope", ROOT, SCAN, "Enabled")


def account_body(name, subscription=ONE, group="governance-rg", scan=None, **properties):
    root = f"https://{name}.purview.azure.com"
    return {
        "id": place_of(name, subscription, group),
        "name": name,
        "location": "westeurope",
        "properties": {"endpoints": {"catalog": f"{root}/catalog", "scan": scan or f"{root}/scan"}, **properties},
    }


def all_in(error):
    """Everything that an exception and those behind it say."""
    said = []
    while error is not None:
        said.append(f"{error} {error!r}")
        error = error.__cause__ or error.__context__
    return "\n".join(said)


@pytest.fixture
def purview(azure):
    """An account whose answers are made up."""
    return sm.connect_purview(ACCOUNT, azure)


@pytest.fixture
def open_account(clock):
    """An account of a sandbox, in which nobody really waits."""
    opened = []

    def open_it(*faults, estate="seed", account=HOME, page_size=1000):
        pace = pace_of(clock)
        azure = sm.open_sandbox(estate, faults=faults, page_size=page_size, clock=clock, sleep=clock.sleep, pace=pace)
        opened.append(azure)
        return sm.connect_purview(account, azure)

    yield open_it
    for azure in opened:
        azure.close()


@pytest.fixture
def account(open_account):
    return open_account()


# Which account.


@pytest.fixture
def estate(service):
    """What Azure Resource Manager knows: the accounts of two subscriptions; None: it does not tell."""
    refusal = (403, {"error": {"code": "AuthorizationFailed", "message": "not yours"}})

    def give(*first, second=()):
        subscriptions = [{"subscriptionId": each, "displayName": each[:4], "state": "Enabled"} for each in (ONE, TWO)]
        service.says("/subscriptions", {"value": subscriptions})
        for subscription, found in ((ONE, first), (TWO, second)):
            answer = refusal if found is None else {"value": list(found)}
            service.says(f"/subscriptions/{subscription}/providers/Microsoft.Purview/accounts", answer)

    return give


def test_an_account_by_its_name(azure, estate, service):
    estate(account_body("other"), second=[account_body("Contoso-Purview", TWO, publicNetworkAccess="Disabled")])
    found = find_purview_account(azure, " contoso-PURVIEW ")
    assert found == PurviewAccount(
        place_of("Contoso-Purview", TWO),
        "Contoso-Purview",
        "westeurope",
        "https://Contoso-Purview.purview.azure.com",
        "https://Contoso-Purview.purview.azure.com/scan",
        "Disabled",
    )
    assert {urlsplit(url).hostname for url in service.urls} == {"management.azure.com"}


def test_endpoints_as_they_were_once_spelled(azure, estate):
    """As an example of Azure Resource Manager's specification has them."""
    old = {"catalog": "https://contoso.catalog.purview.azure.com", "scan": "https://contoso.scan.purview.azure.com"}
    estate(account_body("contoso", endpoints=old))
    found = find_purview_account(azure, "contoso")
    assert found.endpoint == "https://contoso.purview.azure.com"
    assert found.scan == "https://contoso.purview.azure.com/scan"


def test_an_account_by_its_id_is_read_and_not_looked_for(azure, service):
    place = place_of("contoso-purview")
    service.says(place, account_body("contoso-purview"))
    assert find_purview_account(azure, place).public_network == ""
    assert find_purview_account(azure, place) == dataclasses.replace(ACCOUNT, public_network="")
    assert {urlsplit(url).path for url in service.urls} == {place}


def test_an_account_that_was_found_is_not_looked_for_again(azure, service):
    assert sm.connect_purview(ACCOUNT, azure).account is ACCOUNT
    assert service.requests == []


def test_accounts_are_listed_over_pages_and_sorted(azure, service):
    path = f"/subscriptions/{ONE}/providers/Microsoft.Purview/accounts"
    link = f"https://management.azure.com{path}?api-version=2021-07-01&$skipToken=2"
    service.says(path, {"value": [account_body("second")], "nextLink": link}, {"value": [account_body("first")]})
    assert [each.name for each in list_purview_accounts(azure, [ONE])] == ["first", "second"]
    assert list_purview_accounts(azure, []) == []


def test_several_accounts_of_one_name(azure, estate):
    estate(account_body("same"), second=[account_body("same", TWO)])
    with pytest.raises(AzureError, match="several Purview accounts are called same") as caught:
        find_purview_account(azure, "same")
    assert type(caught.value) is AzureError
    assert place_of("same") in str(caught.value)
    assert place_of("same", TWO) in str(caught.value)


def test_no_account_of_that_name(azure, estate):
    estate(account_body("one"), second=[account_body("two", TWO)])
    with pytest.raises(NotFoundError, match="no Purview account is called 'three'") as caught:
        sm.connect_purview("three", azure)
    assert str(caught.value).endswith(f"there are: {place_of('one')}, {place_of('two', TWO)}")


def test_no_account_at_all(azure, estate):
    estate()
    with pytest.raises(NotFoundError, match="there is none in the subscriptions that you see"):
        sm.connect_purview("one", azure)


def test_a_subscription_that_cannot_be_asked(azure, estate):
    estate(account_body("one"), second=None)
    # Names are those of hosts, so that whoever is found is the one.
    assert find_purview_account(azure, "one").name == "one"
    # An account that is not seen is not absent.
    with pytest.raises(NotFoundError, match="could not be asked") as caught:
        find_purview_account(azure, "two")
    assert f"/subscriptions/{TWO}/" in str(caught.value)
    assert "403 AuthorizationFailed: not yours" in str(caught.value)
    with pytest.raises(DeniedError):
        list_purview_accounts(azure)


@pytest.mark.parametrize(
    "address",
    [
        "https://contoso-purview.purview.azure.com.example.net/scan",
        "https://purview.azure.com.example.net/scan",
        "https://contosopurview.azure.com/scan",
        "http://contoso-purview.purview.azure.com/scan",
        "https://contoso-purview.purview.azure.com:8443/scan",
        "https://contoso-purview.purview.azure.com@example.net/scan",
        "https://[::1/scan",
        "/scan",
        "",
    ],
)
def test_no_token_goes_to_an_endpoint_elsewhere(azure, service, credential, address):
    body = account_body("contoso-purview", scan=address or None)
    body["properties"]["endpoints"]["scan"] = address
    service.says(place_of("contoso-purview"), body)
    with pytest.raises(AnswerError, match="no token is sent there"):
        sm.connect_purview(place_of("contoso-purview"), azure)
    assert {urlsplit(url).hostname for url in service.urls} == {"management.azure.com"}
    assert [scopes for scopes, _ in credential.asked] == [(ARM_SCOPE,)]


@pytest.mark.parametrize("endpoints", [None, {}, {"scan": f"{SCAN}"}, {"catalog": f"{ROOT}/catalog"}, {"scan": 7}])
def test_an_account_without_endpoints_is_no_answer(azure, service, endpoints):
    body = account_body("contoso-purview")
    body["properties"]["endpoints"] = endpoints
    service.says(place_of("contoso-purview"), body)
    with pytest.raises(AnswerError):
        sm.connect_purview(place_of("contoso-purview"), azure)


def test_another_cloud_has_another_suffix_and_audience(credential, pace, service):
    arm = "https://arm.local.contoso.com"
    cloud = Cloud("local", arm, arm, "https://login.contoso.com", "purview.contoso.net", "https://data.contoso.net/")
    body = account_body("contoso-purview")
    here = "https://contoso-purview.purview.contoso.net"
    body["properties"]["endpoints"] = {"catalog": f"{here}:443/catalog/", "scan": f"{here}/scan/"}
    service.says(f"{arm}{place_of('contoso-purview')}", body)
    service.says(f"{here}/scan/datasources", {"value": []})
    service.says(f"{here}:443/collections", {"value": []})
    with connect(credential, cloud, pace=pace) as azure:
        purview = sm.connect_purview(place_of("contoso-purview"), azure)
        assert list(purview.sources.list()) == []
        assert list(purview.collections.list()) == []
    assert [scopes for scopes, _ in credential.asked] == [
        (f"{arm}/.default",), ("https://data.contoso.net/.default",), ("https://data.contoso.net/.default",)
    ]  # fmt: skip


def test_a_cloud_without_purview_gets_no_token(credential, pace, service):
    cloud = Cloud("bare", "https://management.azure.com", "https://management.azure.com", "https://login.contoso.com")
    service.says(place_of("contoso-purview"), account_body("contoso-purview"))
    with connect(credential, cloud, pace=pace) as azure, pytest.raises(AnswerError, match="not below any host"):
        find_purview_account(azure, place_of("contoso-purview"))


# Whose token goes where.


def test_the_token_is_for_purview_and_goes_to_the_account_alone(azure, service, credential):
    service.says(place_of("contoso-purview"), account_body("contoso-purview"))
    purview = sm.connect_purview(place_of("contoso-purview"), azure)
    service.says(f"{SCAN}/datasources", {"value": []})
    service.says(f"{ROOT}/collections", {"value": []})
    service.says(f"{TYPES}/typedefs", {})
    service.says(f"{ROOT}/policyStore/metadataRoles", {"values": []})
    for ask in (purview.sources.list, purview.collections.list, purview.classifications.list, purview.policies.roles):
        assert list(ask()) == []
    assert {scopes for scopes, _ in credential.asked[1:]} == {(SCOPE,)}
    assert credential.asked[0][0] == (ARM_SCOPE,)
    tokens = [(urlsplit(each.url).hostname, each.headers["Authorization"]) for each in service.requests]
    for_arm = {token for host, token in tokens if host == "management.azure.com"}
    for_purview = {token for host, token in tokens if host != "management.azure.com"}
    assert for_arm == {"Bearer secret-token-1"}
    assert for_purview
    assert not for_purview & for_arm


FOREIGN = [
    "https://contoso-purview.purview.azure.com.example.net/scan/datasources?api-version=2023-09-01",
    "https://other-purview.purview.azure.com/scan/datasources?api-version=2023-09-01",
    "http://contoso-purview.purview.azure.com/scan/datasources?api-version=2023-09-01",
    "https://management.azure.com/subscriptions",
]


@pytest.mark.parametrize("link", FOREIGN)
def test_a_link_to_another_host_is_not_followed(purview, service, credential, link):
    first = {"name": "one", "kind": "AdlsGen2", "properties": {}}
    service.says(f"{SCAN}/datasources", {"value": [first], "nextLink": link})
    found = purview.sources.list()
    assert next(found).name == "one"
    with pytest.raises(AnswerError, match="it was not followed"):
        next(found)
    assert len(service.requests) == len(credential.asked) == 1


@pytest.mark.parametrize(
    ("path", "key", "ask"),
    [
        ("/scan/datasources", "value", lambda purview: purview.sources.list()),
        ("/collections", "value", lambda purview: purview.collections.list()),
        ("/policyStore/metadataPolicies", "values", lambda purview: purview.policies.list()),
        ("/scan/datasources/lake/scans/weekly/runs", "value", lambda purview: purview.runs.list("lake", "weekly")),
    ],
)  # fmt: skip
def test_a_link_that_comes_again_is_refused(purview, service, path, key, ask):
    link = f"{ROOT}{path}?api-version=2023-09-01&skipToken=2"
    service.says(f"{ROOT}{path}", {key: [], "nextLink": link})
    with pytest.raises(AnswerError, match="followed already"):
        list(ask(purview))
    assert len(service.requests) == 2


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}, {"value": ["one"]}, []])
def test_a_list_without_items_is_not_empty(purview, service, body):
    service.says(f"{SCAN}/datasources", body)
    with pytest.raises(AnswerError):
        list(purview.sources.list())


# Objects of each kind, there and back.

SECRET = {"type": "AzureKeyVaultSecret", "secretName": "password", "store": {"referenceName": "main-vault"}}
VAULT = KeyVaultConnection("main-vault", "https://kv-sales.vault.azure.net/", "Of scans")
LOGIN = Credential("sql-login", "SqlAuth", {"typeProperties": {"user": "scanner", "password": SECRET}})
RULE = ClassificationRule("PII-HighRisk", "PII.HighRisk", ("ssn", "social.*"), (r"\d{9}",), 70.0, "Of persons")
RULESET = Ruleset(
    "sales-rules", "AdlsGen2",
    {
        "description": "For sales", "excludedSystemClassifications": ["MICROSOFT.PERSONAL.IPADDRESS"],
        "includedCustomClassificationRuleNames": ["PII-HighRisk"], "scanningRule": {"fileExtensions": ["CSV", "JSON"]},
    },
)  # fmt: skip
LAKE = Source("sales-lake", "AdlsGen2", {"endpoint": "https://saleslake.dfs.core.windows.net/"}, "sales")
ALONE = Source("lake", "AdlsGen2", {"endpoint": "https://lake.dfs.core.windows.net/"})
WEEKLY = Scan("weekly", "AdlsGen2Msi", {"scanRulesetName": "sales-rules", "scanRulesetType": "Custom"}, "sales")
SALES = Collection("sales", "Sales", HOME, "Of sales")
FILTER = Filter(("https://saleslake.dfs.core.windows.net/in/",), ("https://saleslake.dfs.core.windows.net/in/drafts/",))
SCHEDULE = {"hours": [2], "minutes": [0], "weekDays": ["Monday"]}
TRIGGER = Trigger({"frequency": "Week", "interval": 1, "startTime": "2026-01-05T02:00:00Z", "schedule": SCHEDULE})

# By kind in the order in which they can be made: where they are, their names, one, the same changed.
LIVES = {
    "collection": (lambda it: it.collections, ("sales",), SALES, {"description": "Of all sales"}),
    "key-vault": (lambda it: it.key_vaults, ("main-vault",), VAULT, {"base_url": "https://kv-two.vault.azure.net/"}),
    "credential": (lambda it: it.credentials, ("sql-login",), LOGIN, {"properties": {
        "typeProperties": {"user": "reader", "password": SECRET}}}),
    "classification-rule": (lambda it: it.classification_rules, ("PII-HighRisk",), RULE, {"enabled": False}),
    "ruleset": (lambda it: it.rulesets, ("sales-rules",), RULESET, {"properties": {
        "scanningRule": {"fileExtensions": ["PARQUET"]}}}),
    "source": (lambda it: it.sources, ("sales-lake",), LAKE, {"collection": HOME}),
    "scan": (lambda it: it.scans, ("sales-lake", "weekly"), WEEKLY, {"properties": {
        "scanRulesetName": "AdlsGen2", "scanRulesetType": "System"}}),
    "filter": (lambda it: it.filters, ("sales-lake", "weekly"), FILTER, {"exclude": ()}),
    "trigger": (lambda it: it.triggers, ("sales-lake", "weekly"), TRIGGER, {"level": "Full", "enabled": False}),
}  # fmt: skip


def differences(kind, wish, found):
    return list(compare(wish, found, KINDS[kind]))


@pytest.fixture
def full(account):
    """An account with one object of each kind."""
    for where, names, one, _ in LIVES.values():
        where(account).put(one, *names)
    return account


@pytest.mark.parametrize("kind", LIVES)
def test_there_and_back(full, kind):
    where, names, one, change = LIVES[kind]
    objects = where(full)
    changed = dataclasses.replace(one, **change)
    for wish in (one, changed):
        made = objects.put(wish, *names)
        assert type(made) is type(one)
        for found in (made, objects.get(*names)):
            assert differences(kind, wish.body(), found.body()) == []
            if hasattr(one, "name"):
                assert found.name == one.name
        # The same without types.
        assert differences(kind, wish.body(), objects.body(*names).body) == []
    told = objects.write(one.body(), *names)
    assert differences(kind, one.body(), told.body) == []
    assert differences(kind, changed.body(), told.body) != []
    assert type(one).of(told) == objects.get(*names)


@pytest.mark.parametrize("kind", [kind for kind in LIVES if kind not in ("filter", "trigger")])
def test_each_is_listed(full, kind):
    where, names, one, _ = LIVES[kind]
    listed = {found.name: found for found in where(full).list(*names[:-1])}
    found = where(full).get(*names)
    if kind == "collection":  # which is there at the second look
        assert (listed[one.name].state, found.state) == ("Creating", "Succeeded")
        found = dataclasses.replace(found, state="Creating")
    assert listed[one.name] == found
    bodies = [found.body for found in where(full).bodies(*names[:-1])]
    assert [body["name"] for body in bodies] == list(listed)


def test_each_is_removed_in_the_other_order_and_then_not_there(full):
    for kind, (where, names, _, _) in reversed(LIVES.items()):
        if kind == "filter":
            continue  # the service cannot remove one: it goes with its scan
        where(full).delete(*names)
        with pytest.raises(NotFoundError) as caught:
            where(full).get(*names)
        assert caught.value.status == 404
        where(full).delete(*names)  # what is not there is removed already
    assert [found.name for found in full.collections.list()] == [HOME]
    assert list(full.sources.list()) == []


def test_a_filter_cannot_be_removed(account):
    assert not hasattr(account.filters, "delete")


def test_what_is_read_of_each(full):
    assert full.collections.get("SALES") == dataclasses.replace(SALES, state="Creating")
    assert full.collections.get(HOME) == Collection(HOME, HOME, "", "The root collection.", "Succeeded")
    assert full.key_vaults.get("main-vault") == VAULT
    assert full.credentials.get("sql-login") == LOGIN
    assert full.classification_rules.get("PII-HighRisk") == RULE
    assert full.filters.get("sales-lake", "weekly") == FILTER
    source = full.sources.get("sales-lake")
    assert (source.kind, source.collection) == ("AdlsGen2", "sales")
    assert source.properties["endpoint"] == LAKE.properties["endpoint"]
    assert "collection" not in source.properties
    trigger = full.triggers.get("sales-lake", "weekly")
    assert (trigger.level, trigger.enabled, trigger.last_scheduled) == ("Incremental", True, None)


def test_a_source_of_a_kind_that_is_modelled_is_registered(clock):
    pace = pace_of(clock)
    with sm.open_sandbox("seed", clock=clock, sleep=clock.sleep, pace=pace) as azure:
        purview = sm.connect_purview("sovereign-purview", azure)
        assert repr(purview) == "<Purview sovereign-purview in westeurope>"
        made = purview.sources.register(
            sm.sources.AzureSqlDatabase(
                "sales-domain",
                server_endpoint="sales-sql.database.windows.net",
                resource_id=f"{SERVER}/sales-sql",
                resource_group="sales-rg",
                location="westeurope",
            )
        )
        assert (made.name, made.kind, made.collection) == ("sales-domain", "AzureSqlDatabase", HOME)
        assert made.properties["serverEndpoint"] == "sales-sql.database.windows.net"
        assert [found.name for found in purview.sources.list()] == ["sales-domain"]
        with pytest.raises(RejectedError, match="already registered as 'sales-domain'") as caught:
            purview.sources.register(
                sm.sources.AzureSqlDatabase("another", resource_id=f"{SERVER}/sales-sql", server_endpoint="x")
            )
        assert (caught.value.status, caught.value.code) == (409, "DataSource_AlreadyRegistered")


def test_every_list_follows_its_links(open_account, exchanges):
    account = open_account(page_size=2)
    numbers = range(5)
    account.key_vaults.put(VAULT, "main-vault")
    account.sources.register(ALONE)
    for number in numbers:
        account.collections.put(Collection(f"part-{number}", parent=HOME), f"part-{number}")
        account.key_vaults.put(VAULT, f"vault-{number}")
        account.credentials.put(LOGIN, f"login-{number}")
        account.classification_rules.put(RULE, f"rule-{number}")
        account.rulesets.put(Ruleset("", "AdlsGen2", {"scanningRule": {"fileExtensions": ["CSV"]}}), f"set-{number}")
        own = Source("", "AzureStorage", {"endpoint": f"https://files{number}.blob.core.windows.net/"})
        account.sources.put(own, f"files-{number}")
        account.scans.put(Scan("", "AdlsGen2Msi"), ALONE.name, f"scan-{number}")
        account.runs.start(ALONE.name, "scan-0", f"{RUN[:-1]}{number}")

    def named(found):
        return sorted(each.name for each in found)

    def these(word):
        return [f"{word}-{number}" for number in numbers]

    assert named(account.collections.list()) == [*these("part"), HOME]
    assert named(account.key_vaults.list()) == ["main-vault", *these("vault")]
    assert named(account.credentials.list()) == these("login")
    assert named(account.classification_rules.list()) == these("rule")
    assert named(account.rulesets.list()) == these("set")
    assert named(account.sources.list()) == [*these("files"), "lake"]
    assert named(account.scans.list("lake")) == these("scan")
    assert sorted(run.id for run in account.runs.list("lake", "scan-0")) == [
        f"{RUN[:-1]}{number}" for number in numbers
    ]
    assert len({policy.collection for policy in account.policies.list()}) == 6
    assert (
        len({each.name for each in account.system_rulesets.list()}) == len(list(account.system_rulesets.list())) == 20
    )
    assert exchanges.violations == []


# Runs.


@pytest.fixture
def scanned(full):
    return full, ("sales-lake", "weekly")


def test_a_run_starts_once(scanned):
    account, scan = scanned
    assert list(account.runs.list(*scan)) == []
    started = account.runs.start(*scan, RUN, "Full")
    assert (started.id, started.status, started.level) == (RUN, "Accepted", "Full")
    assert (started.ended, started.discovered, started.error) == (None, None, "")
    assert account.runs.start(*scan, RUN, "Full") == started
    assert [run.id for run in account.runs.list(*scan)] == [RUN]


def test_a_run_goes_on(scanned):
    account, scan = scanned
    account.runs.start(*scan, RUN)
    found = [account.runs.get(*scan, RUN) for _ in range(4)]
    assert [run.status for run in found] == ["Queued", "InProgress", "Succeeded", "Succeeded"]
    assert [run.level for run in found] == ["Incremental"] * 4
    assert found[1].discovered is None
    assert (found[2].discovered, found[2].classified, found[2].failed) == (0, 0, 0)
    assert found[2].ended >= found[2].started


def test_a_run_is_cancelled(scanned):
    account, scan = scanned
    account.runs.start(*scan, RUN)
    account.runs.cancel(*scan, RUN)
    assert [account.runs.get(*scan, RUN).status for _ in range(2)] == ["Canceled", "Canceled"]
    with pytest.raises(RejectedError) as caught:
        account.runs.cancel(*scan, RUN)
    assert caught.value.status == 409
    with pytest.raises(NotFoundError):
        account.runs.get(*scan, RUN.replace("0", "1"))


@pytest.mark.off_spec("runId")
def test_a_run_id_is_a_guid(scanned):
    account, scan = scanned
    with pytest.raises(RejectedError, match="no GUID"):
        account.runs.start(*scan, "seven")


# Classifications, policies, system rulesets, the account.


def test_classifications(account):
    before = {each.name for each in account.classifications.list()}
    assert before
    assert all(name.startswith("MICROSOFT.") for name in before)
    account.classifications.create(Classification("PII.HighRisk", "Of persons").body(), Classification("PII").body())
    assert {each.name for each in account.classifications.list()} - before == {"PII.HighRisk", "PII"}
    assert account.classifications.get("PII.HighRisk") == Classification("PII.HighRisk", "Of persons")
    account.classifications.update(Classification("PII.HighRisk", "Of citizens").body())
    assert account.classifications.get("PII.HighRisk").description == "Of citizens"
    with pytest.raises(RejectedError) as caught:
        account.classifications.create(Classification("PII").body())
    assert (caught.value.status, caught.value.code) == (409, "ATLAS-409-00-001")
    for _ in range(2):
        account.classifications.delete("PII")
    with pytest.raises(NotFoundError):
        account.classifications.get("PII")


def test_a_policy_is_read_changed_and_written(full):
    ada, bob = "00000000-0000-0000-0000-0000000000ad", "00000000-0000-0000-0000-0000000000b0"
    reader = "purviewmetadatarole_builtin_purview-reader"
    policies = {policy.collection: policy for policy in full.policies.list()}
    assert set(policies) == {HOME, "sales"}
    policy = full.policies.get(policies["sales"].id)
    assert policy == policies["sales"]
    written = full.policies.update(with_roles(policy.document, "sales", {reader: [ada, bob]}))
    assert (written.id, written.version, written.collection) == (policy.id, policy.version + 1, "sales")
    there = assigned(full.policies.get(policy.id).document, "sales")
    assert there == {**assigned(policy.document, "sales"), reader: [ada, bob]}
    # Somebody who read it before does not take that back.
    with pytest.raises(RejectedError, match="Read it again") as caught:
        full.policies.update(with_roles(policy.document, "sales", {reader: []}))
    assert caught.value.status == 409
    assert assigned(full.policies.get(policy.id).document, "sales") == there
    with pytest.raises(NotFoundError):
        full.policies.get(RUN)


def test_roles(account):
    roles = {role.id: role.friendly_name for role in account.policies.roles()}
    assert roles["purviewmetadatarole_builtin_data-source-administrator"] == "Data Source Administrator"
    assert len(roles) == 8


def test_system_rulesets(account):
    kinds = {each.kind for each in account.system_rulesets.list()}
    assert {"AdlsGen2", "AzureSqlDatabase"} <= kinds
    assert "CSV" in account.system_rulesets.get("AdlsGen2").properties["scanningRule"]["fileExtensions"]
    assert "scanningRule" not in account.system_rulesets.get("AzureSqlDatabase").properties


def test_a_kind_without_a_system_ruleset(account):
    with pytest.raises(NotFoundError):
        account.system_rulesets.get("Fabric")


def test_the_account_says_what_it_is(account):
    told = account.properties()
    assert (told.text("name"), told.text("location")) == (HOME, "westeurope")
    assert told.within("properties").within("endpoints").text("scan") == account.account.scan
    assert account.account.id == f"{SEED}/providers/Microsoft.Purview/accounts/{HOME}"


# What goes wrong.


def test_an_error_says_all_that_is_known_of_it(purview, service):
    error = {"code": "DataSource_NotFound", "message": "There is none.", "target": "sql-one"}
    service.says(f"{SCAN}/datasources/sql-one", (404, {"error": error}, {"x-ms-request-id": "request-7"}))
    with pytest.raises(NotFoundError, match="There is none") as caught:
        purview.sources.get("sql-one")
    told = caught.value
    assert (told.status, told.code, told.target, told.request_id) == (
        404, "DataSource_NotFound", "sql-one", "request-7"
    )  # fmt: skip
    assert str(told).startswith(f"{SCAN}/datasources/sql-one: 404 DataSource_NotFound")
    assert "secret-token" not in all_in(told)


def test_an_error_of_the_data_map_too(purview, service):
    error = {"requestId": "request-8", "errorCode": "ATLAS-404-00-001", "errorMessage": "Given typename was invalid"}
    service.says(f"{TYPES}/classificationdef/name/PII", (404, error))
    with pytest.raises(NotFoundError, match="Given typename was invalid") as caught:
        purview.classifications.get("PII")
    told = caught.value
    assert (told.status, told.code, told.target, told.request_id) == (404, "ATLAS-404-00-001", "", "request-8")


ASKED = [
    lambda account: account.sources.get("sql-one"),
    lambda account: list(account.sources.list()),
    lambda account: account.collections.put(SALES, "sales"),
    lambda account: account.collections.delete("sales"),
    lambda account: list(account.policies.list()),
    lambda account: list(account.classifications.list()),
    lambda account: account.properties(),
]


@pytest.mark.parametrize("ask", ASKED)
def test_a_role_that_is_missing(open_account, ask):
    with pytest.raises(DeniedError, match="you lack a role in the account sovereign-purview") as caught:
        ask(open_account("purview-denied"))
    told = caught.value
    assert type(told) is DeniedError
    assert (told.status, told.code) == (403, "Unauthorized")
    assert "have one assigned to you in its collections" in str(told)
    assert "Data Source Administrator" in str(told)


@pytest.mark.parametrize("ask", ASKED)
def test_a_network_that_is_kept_out(open_account, ask):
    with pytest.raises(
        ClosedNetworkError, match="the account sovereign-purview does not answer this network"
    ) as caught:
        ask(open_account("purview-closed"))
    assert (caught.value.status, caught.value.code) == (403, "PublicNetworkAccessDisabled")
    assert "ask from where its private endpoint is" in str(caught.value)
    assert "you lack a role" not in str(caught.value)


def test_a_closed_account_of_an_estate(open_account):
    account = open_account(estate="contoso", account="pview-sales-prod")
    assert account.account.public_network == "Disabled"
    with pytest.raises(ClosedNetworkError, match="private endpoint"):
        list(account.sources.list())


def test_an_account_that_is_closed_and_does_not_say_so(azure, service):
    """The words of such a refusal are nowhere documented; what Azure Resource Manager says of the account is."""
    refusal = {"error": {"code": "Forbidden", "message": "Not from here", "target": "here"}}
    service.says(f"{SCAN}/datasources", (403, refusal, {"x-ms-request-id": "request-9"}))
    closed = sm.connect_purview(dataclasses.replace(ACCOUNT, public_network="Disabled"), azure)
    with pytest.raises(ClosedNetworkError, match="public network access is off") as caught:
        list(closed.sources.list())
    told = caught.value
    assert (told.status, told.code, told.target, told.request_id) == (403, "Forbidden", "here", "request-9")
    with pytest.raises(DeniedError) as caught:
        list(sm.connect_purview(ACCOUNT, azure).sources.list())
    assert type(caught.value) is DeniedError


def test_who_was_answered_before_is_in_the_network(azure, service):
    refusal = (403, {"error": {"code": "Forbidden", "message": "Not from here"}})
    service.says(f"{SCAN}/datasources", {"value": []})
    service.says(f"{SCAN}/credentials", refusal)
    closed = sm.connect_purview(dataclasses.replace(ACCOUNT, public_network="Disabled"), azure)
    assert list(closed.sources.list()) == []
    with pytest.raises(DeniedError, match="you lack a role") as caught:
        list(closed.credentials.list())
    assert type(caught.value) is DeniedError


def test_a_role_may_be_missing_inside_a_closed_network_too(azure, service):
    """In the words that were recorded."""
    refusal = {"error": {"code": "Unauthorized", "message": "Not authorized to access account"}}
    service.says(f"{SCAN}/datasources", (403, refusal))
    with pytest.raises(DeniedError, match="you lack a role") as caught:
        list(sm.connect_purview(dataclasses.replace(ACCOUNT, public_network="Disabled"), azure).sources.list())
    assert type(caught.value) is DeniedError


def test_a_404_is_told_as_such(account):
    for ask in (
        lambda: account.sources.get("nothing"),
        lambda: list(account.scans.list("nothing")),
        lambda: account.runs.start("nothing", "nightly", RUN),
        lambda: account.collections.get("nothing"),
    ):
        with pytest.raises(NotFoundError) as caught:
            ask()
        assert caught.value.status == 404


def test_throttling_is_waited_for(open_account, clock):
    account = open_account("throttled:purview")
    clock.slept.clear()
    assert account.sources.register(ALONE).name == "lake"
    assert clock.slept == [1.0, 1.0]


def test_throttling_of_a_post_too(purview, service, clock):
    service.says(f"{TYPES}/typedefs", (429, {}, {"Retry-After": "7"}), {}, method="POST")
    purview.classifications.create(Classification("PII").body())
    assert clock.slept == [7.0]
    assert len(service.requests) == 2


def test_a_put_is_tried_again(open_account, clock):
    account = open_account("server-errors:purview-writes")
    clock.slept.clear()
    assert account.sources.register(ALONE).name == "lake"
    assert clock.slept == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_post_is_not_tried_again(purview, service, clock, status):
    service.says(f"{TYPES}/typedefs", (status, {"error": {"code": "Down", "message": "Later."}}), {}, method="POST")
    with pytest.raises(UnreachableError, match="Later") as caught:
        purview.classifications.create(Classification("PII").body())
    assert (caught.value.status, caught.value.code) == (status, "Down")
    assert len(service.requests) == 1
    assert clock.slept == []


def test_a_delete_whose_answer_was_lost_is_done(purview, service):
    """The second attempt finds nothing any more."""
    missing = {"error": {"code": "Collection_NotFound", "message": "It could not be found."}}
    service.says(f"{ROOT}/collections/sales", (503, {}), (404, missing), method="DELETE")
    purview.collections.delete("sales")
    assert len(service.requests) == 2


@pytest.mark.parametrize("fault", ["html", "truncated"])
def test_half_an_answer_is_asked_for_again(open_account, fault):
    assert open_account(f"{fault}:purview").collections.get(HOME).name == HOME


@pytest.mark.parametrize("fault", ["html-always", "truncated-always"])
def test_half_an_answer_for_ever_is_none(open_account, fault):
    account = open_account(f"{fault}:purview")
    for ask in ASKED:
        if ask not in (ASKED[0], ASKED[3]):  # what is not there has an error, which half of is one too
            with pytest.raises(AnswerError, match="no JSON, or half of it"):
                ask(account)


def test_half_an_answer_to_a_post_is_not_asked_for_again(purview, service):
    service.says(f"{TYPES}/typedefs", (200, b'{"classificationDefs": [{"na'), method="POST")
    with pytest.raises(AnswerError, match="no JSON, or half of it"):
        purview.classifications.create(Classification("PII").body())
    assert len(service.requests) == 1


@pytest.mark.parametrize("body", [b"[]", b"7", b'"no"', b"null", b""])
def test_an_object_that_is_none(purview, service, body):
    service.says(f"{SCAN}/datasources/sql-one", (200, body))
    with pytest.raises(AnswerError, match="should be an object"):
        purview.sources.get("sql-one")


# Names.

ODD = {
    "a/b": "a%2Fb",
    "a b": "a%20b",
    "a?b=c": "a%3Fb%3Dc",
    "a#b": "a%23b",
    "100%": "100%25",
    "a%2Fb": "a%252Fb",
    "{}": "%7B%7D",
    "{0}": "%7B0%7D",
    "nightly:run": "nightly%3Arun",
    "übung": "%C3%BCbung",
    "../other": "..%2Fother",
    "a\\b": "a%5Cb",
    "a\nb": "a%0Ab",
    "a;b,c@d&e": "a%3Bb%2Cc%40d%26e",
}


@pytest.mark.off_spec("does not match|has nothing there")
@pytest.mark.parametrize("name", ODD)
def test_a_name_is_one_segment_of_the_path(purview, service, name):
    service.mock.assert_all_requests_are_fired = False
    answer = {"name": name, "kind": "AdlsGen2", "properties": {}}
    service.says(f"{SCAN}/datasources/lake/scans/{ODD[name]}", answer)
    assert purview.scans.get("lake", name).name == name
    service.says(f"{SCAN}/datasources/{ODD[name]}", answer, method="PUT")
    assert purview.sources.put(Source(name, "AdlsGen2"), name).name == name
    service.says(f"{SCAN}/datasources/{ODD[name]}/scans", {"value": [answer]})
    assert [scan.name for scan in purview.scans.list(name)] == [name]
    service.says(f"{SCAN}/datasources/{ODD[name]}/scans/{ODD[name]}:run", {"id": RUN}, method="POST")
    assert purview.runs.start(name, name, RUN).id == RUN
    assert [urlsplit(url).path.count("/") for url in service.urls] == [5, 3, 4, 5]
    assert [parse_qs(urlsplit(url).query)["api-version"] for url in service.urls] == [["2023-09-01"]] * 4


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_name_what_is_above_it_is_not_sent(purview, service, name):
    for ask in (
        lambda: purview.scans.delete("lake", name),
        lambda: purview.scans.delete(name, "nightly"),
        lambda: purview.sources.get(name),
        lambda: purview.sources.put(Source(name, "AdlsGen2"), name),
        lambda: purview.collections.delete(name),
        lambda: list(purview.scans.list(name)),
        lambda: purview.runs.cancel("lake", "nightly", name),
        lambda: purview.classifications.delete(name),
        lambda: purview.policies.get(name),
        lambda: purview.system_rulesets.get(name),
    ):
        with pytest.raises(RejectedError, match="nothing was sent"):
            ask()
    assert service.requests == []


# How fast.


def test_no_more_than_the_capacity_from_many_threads(new_turns):
    turns = new_turns()
    pace = Pace(clock=turns, sleep=turns.sleep, jitter=lambda: 0.0)
    capacity = Capacity(lambda: pace, 25.0)
    out = []

    def ask():
        for _ in range(10):
            capacity.take()
            out.append(turns.now)

    turns.run([ask] * 16)
    assert len(out) == 160
    assert out == pytest.approx([number / 25 for number in range(160)])


def test_what_was_not_used_is_not_saved_up(clock, pace):
    capacity = Capacity(lambda: pace, 25.0)
    capacity.take()
    clock.now += 100
    begun = clock.now
    for _ in range(26):
        capacity.take()
    assert clock.now - begun == pytest.approx(1.0)


def test_all_services_of_an_account_share_its_capacity(purview, service, clock):
    """Every page of a list is a request too."""
    link = f"{SCAN}/datasources?api-version=2023-09-01&skipToken="
    pages = [{"value": [], "nextLink": f"{link}{number}"} for number in range(9)]
    service.says(f"{SCAN}/datasources", *pages, {"value": []})
    service.says(f"{ROOT}/collections", {"value": []})
    service.says(f"{ROOT}/policyStore/metadataRoles", {"values": []})
    service.says(f"{TYPES}/typedefs", {})
    begun = clock.now
    for ask in (purview.sources.list, purview.collections.list, purview.policies.roles, purview.classifications.list):
        list(ask())
    assert len(service.requests) == 13
    assert clock.now - begun == pytest.approx(12 / OPERATIONS)


# The end.


def test_after_the_end_nothing_is_sent(purview, azure, service, credential):
    link = f"{SCAN}/datasources?api-version=2023-09-01&skipToken=2"
    page = {"value": [{"name": "one", "kind": "AdlsGen2", "properties": {}}], "nextLink": link}
    service.says(f"{SCAN}/datasources", page)
    found = purview.sources.list()
    next(found)
    azure.close()
    with pytest.raises(UnreachableError, match="the connection was closed"):
        next(found)
    for ask in (*ASKED, lambda account: account.runs.start("lake", "nightly", RUN)):
        with pytest.raises(UnreachableError, match="the connection was closed"):
            ask(purview)
    assert len(service.requests) == len(credential.asked) == 1


def test_who_waits_for_the_capacity_is_woken_at_the_end(credential):
    """With the clock of the machine, on which this wait would take a quarter of an hour."""
    azure = connect(credential, pace=Pace())
    capacity = Capacity(lambda: azure.pace, 0.001)
    capacity.take()
    ended = []

    def ask():
        try:
            capacity.take()
        except DeadlineError as error:
            ended.append(str(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    azure.close()
    thread.join(60)
    assert ended == ["the run was stopped"]


def test_the_deadline_counts_for_purview_too(credential, clock, service):
    pace = pace_of(clock, 5)
    service.says(f"{SCAN}/datasources", (429, {}, {"Retry-After": "3"}))
    with connect(credential, pace=pace) as azure, pytest.raises(DeadlineError):
        list(sm.connect_purview(ACCOUNT, azure).sources.list())
    assert len(service.requests) < ATTEMPTS
