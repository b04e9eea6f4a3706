"""The Data Map: what search finds of an account's assets, and what its entities are."""

import json

import pytest
from estates.building import CATALOG_TRUTH
from sandbox.purview_client import Purview
from sandbox.purview_client import code as refusal

ACCOUNT = "pview-customer-prod"
SEARCH = "/datamap/api/search/query"
ENTITY = "/datamap/api/atlas/v2/entity"
POLICIES = "/policyStore/metadataPolicies"
TABLES = "mssql://sales-sql.database.windows.net/salesdb/dbo/"
CONFLICT = f"{TABLES}pipelines_summary"
TRUTH = json.loads(CATALOG_TRUTH.read_text(encoding="utf-8"))


@pytest.fixture
def open_map():
    return lambda **options: Purview("contoso", ACCOUNT, **options)


@pytest.fixture
def purview(open_map):
    return open_map()


@pytest.fixture(scope="module")
def reader():
    """An account that no test changes."""
    return Purview("contoso", ACCOUNT)


def ask(purview, **body):
    return purview.ask("POST", SEARCH, "2023-09-01", json=body)


def search(purview, **body):
    answer = ask(purview, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def found(purview, given, **body):
    """The hits of a filter, which must be all that it counts."""
    told = search(purview, filter=given, limit=1000, **body)
    assert len(told["value"]) == told["@search.count"]
    return told["value"]


def every(purview, **body):
    """All hits, page by page."""
    told = search(purview, **body)
    hits = told["value"]
    while token := told.get("continuationToken"):
        told = search(purview, **body, continuationToken=token)
        hits += told["value"]
    assert len(hits) == told["@search.count"]
    return hits


def entities(purview, *guids, **options):
    answer = purview.ask("GET", f"{ENTITY}/bulk", "", params={"guid": list(guids), **options})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer):
    """The status and the code of a refusal in the Data Map's shape."""
    told = answer.json()
    assert told["errorMessage"]
    return answer.status_code, told["errorCode"]


def named(purview, name, kind="azure_sql_table"):
    answer = purview.ask("GET", f"{ENTITY}/uniqueAttribute/type/{kind}", "", params={"attr:qualifiedName": name})
    assert answer.status_code == 200, answer.text
    return answer.json()["entity"]


def lacks(description, contacts, labels):
    told = {
        "description": not (description or "").strip(),
        "owner": not any(kind == "Owner" for kind in contacts),
        "label": not any(name.startswith("Microsoft.Label.") for name in labels),
    }
    return {what for what, missing in told.items() if missing}


def labelled(body):
    """Whether an asset could have a label, as the truth says."""
    return body["entityType"] in TRUTH["labels"]["can"] and not body["qualifiedName"].endswith("/")


class TestSearch:
    def test_it_finds_every_asset_and_no_column(self, reader):
        hits = every(reader, limit=100)
        assert len(hits) == TRUTH["hits"] == len({hit["id"] for hit in hits})
        assert {hit["entityType"] for hit in hits} == set(TRUTH["types"])
        for collection, count in TRUTH["collections"].items():
            assert search(reader, filter={"collectionId": collection})["@search.count"] == count

    def test_pages_do_not_change_the_result(self, reader):
        whole = search(reader, limit=1000)
        assert "continuationToken" not in whole
        assert every(reader, limit=37) == every(reader) == whole["value"]
        assert len(search(reader)["value"]) == 50, "the default of the specification"

    def test_a_page_is_never_larger_than_the_service_s(self, open_map):
        assert len(every(open_map(page_size=100), limit=1000)) == TRUTH["hits"]

    def test_a_token_belongs_to_its_query(self, purview):
        token = search(purview, limit=10, filter={"entityType": "azure_sql_table"})["continuationToken"]
        bad = (400, "ATLAS-400-00-01A")
        assert refused(ask(purview, limit=10, continuationToken=token)) == bad
        other = {"entityType": "azure_sql_db"}
        assert refused(ask(purview, filter=other, continuationToken=token)) == bad
        for made_up in ("", "x", "e30=", token[:-4], token[4:]):
            assert refused(ask(purview, filter={"entityType": "azure_sql_table"}, continuationToken=made_up)) == bad
        same = {"filter": {"entityType": "azure_sql_table"}, "continuationToken": token}
        assert search(purview, **same)["value"]
        purview.now += 3600
        assert refused(ask(purview, **same)) == bad

    @pytest.mark.parametrize(
        ("given", "count"),
        [
            ({"entityType": "azure_sql_table"}, 270),
            ({"entityType": "DataSet"}, 0),
            ({"entityType": "DataSet", "includeSubTypes": True}, 414),
            ({"objectType": "Folders"}, 12),
            ({"objectType": "Tables"}, 270),
            ({"assetType": "Azure Data Lake Storage Gen2"}, 150),
            ({"assetType": "Azure Files"}, 2),
            ({"fileExtension": "parquet"}, 120),
            ({"classification": "PII.Contact"}, 91),
            ({"classification": "pii.contact", "includeSubClassifications": True}, 91),
            ({"not": {"classification": "PII.Contact"}}, 338),
            ({"contactType": "Owner"}, 411),
            ({"term": "Anything", "glossary": "Glossary"}, 0),
            ({"attributeName": "name", "operator": "eq", "attributeValue": "orders"}, 2),
            ({"attributeName": "name", "operator": "ne", "attributeValue": "orders"}, 427),
            ({"attributeName": "qualifiedName", "operator": "prefix", "attributeValue": TABLES}, 90),
            ({"attributeName": "isFile", "operator": "eq", "attributeValue": False}, 12),
            ({"attributeName": "createTime", "operator": "ge", "attributeValue": 1545580800000}, 429),
            ({"attributeName": "modifiedTime", "operator": "timerange", "attributeValue": "LAST_7D"}, 0),
            ({"createTime": {"operator": "lt", "timeThreshold": 1545580800000}}, 0),
            ({"updateTime": "MORE_THAN_365D"}, 429),
            ({"and": [{"collectionId": "Sales"}, {"or": [{"objectType": "Folders"}, {"objectType": "Files"}]}]}, 72),
            (None, 429),
        ],
        ids=json.dumps,
    )
    def test_filters(self, reader, given, count):
        assert len(found(reader, given)) == count

    @pytest.mark.parametrize("words", ["referrals quotes", "REFERRALS OR quotes", "referrals-quotes"])
    def test_any_of_the_words(self, reader, words):
        assert {hit["name"].split("_")[0] for hit in found(reader, None, keywords=words)} == {"referrals", "quotes"}

    def test_no_words_find_all(self, reader):
        for words in (None, "", "*"):
            assert search(reader, keywords=words)["@search.count"] == TRUTH["hits"]

    def test_an_order(self, reader):
        hits = found(reader, {"objectType": "Files"}, orderby=[{"name": "ASC"}, {"qualifiedName": "DESC"}])
        names = [(hit["name"], hit["qualifiedName"]) for hit in hits]
        by_qualified = sorted(names, key=lambda pair: pair[1], reverse=True)
        assert names == sorted(by_qualified, key=lambda pair: pair[0])

    def test_facets_count_all_pages(self, reader):
        by_value = {"facet": "collectionId", "count": 10}
        assert refused(ask(reader, facets=[by_value])) == (400, "ATLAS-400-00-01A")
        facets = [{"facet": "entityType", "count": 3, "sort": {"count": "desc"}}, {"facet": "label"}, {"facet": "term"}]
        told = search(reader, limit=1, facets=facets)["@search.facets"]
        kinds = sorted(TRUTH["types"].items(), key=lambda pair: -pair[1])[:3]
        assert [(one["value"], one["count"]) for one in told["entityType"]] == kinds
        assert len(told["label"]) == 2
        assert told["term"] == []
        assert search(reader, limit=1)["@search.facets"] is None

    @pytest.mark.parametrize(
        "body",
        [
            {"limit": 0},
            {"limit": 1001},
            {"orderby": [{"size": "ASC"}]},
            {"orderby": [{"name": "UP"}]},
            {"facets": [{"facet": "size"}]},
            {"facets": [{"facet": "label", "count": -1}]},
            {"filter": {}},
            {"filter": []},
            {"filter": {"collection": "sales"}},
            {"filter": {"collectionId": 1}},
            {"filter": {"collectionId": "sales", "entityType": "azure_sql_table"}},
            {"filter": {"and": []}},
            {"filter": {"and": [{"id": "1"}], "or": [{"id": "1"}]}},
            {"filter": {"attributeName": "name"}},
            {"filter": {"attributeName": "name", "operator": "like", "attributeValue": "x"}},
            {"filter": {"attributeName": "name", "operator": "contains", "attributeValue": 1}},
            {"filter": {"attributeName": "size", "operator": "gt", "attributeValue": "x"}},
            {"filter": {"updateTime": "LAST_2H"}},
        ],
        ids=json.dumps,
    )
    def test_bodies_that_the_specification_allows_and_the_service_does_not(self, reader, body):
        assert refused(ask(reader, **body)) == (400, "ATLAS-400-00-01A")

    @pytest.mark.off_spec("search/query")
    @pytest.mark.parametrize(
        "body",
        [
            [],
            {"limit": True},
            {"limit": "10"},
            {"keywords": 3},
            {"orderby": {"name": "ASC"}},
            {"facets": {"facet": "label"}},
            {"facets": [{"facet": "label", "sort": {"count": 1}}]},
            {"continuationToken": 7},
        ],
        ids=json.dumps,
    )
    def test_bodies_off_the_specification(self, reader, body):
        assert refused(reader.ask("POST", SEARCH, "2023-09-01", json=body)) == (400, "ATLAS-400-00-01A")

    def test_what_the_sandbox_has_not(self, reader):
        with_taxonomy = ask(reader, taxonomySetting={"assetTypes": ["Azure Files"]})
        for answer in (with_taxonomy, ask(reader, keywords="a AND b"), ask(reader, keywords='"a b"')):
            assert answer.status_code == 501
            assert "not Azure" in answer.text

    @pytest.mark.off_spec("search/query")
    def test_the_version(self, reader):
        for version, code in (("", "ApiVersionUnspecified"), ("2022-03-01-preview", "UnsupportedApiVersion")):
            assert refusal(reader.ask("POST", SEARCH, version, json={})) == (400, code)


class TestEntities:
    def test_what_a_hit_lacks_an_entity_may_have(self, reader):
        """The truth of the planting, read as a client would: of hits, and of the entities behind them."""
        hits = {hit["id"]: hit for hit in every(reader, limit=1000)}
        findings, seem = [], []
        for guid, hit in hits.items():
            whole = entities(reader, guid)
            (entity,) = whole["entities"]
            attributes, own = entity["attributes"], [one["typeName"] for one in entity["classifications"]]
            said = (attributes.get("userDescription") or "").strip() or attributes["description"]
            owners = [kind for kind, held in entity["contacts"].items() if held]
            really = lacks(said, owners, own)
            shown = lacks(hit["description"], [one["contactType"] for one in hit["contact"]], hit["label"])
            if not labelled(hit):
                really, shown = really - {"label"}, shown - {"label"}
            assert really <= shown, "the index never has what the entity has not"
            columns = [
                one["typeName"] for part in whole["referredEntities"].values() for one in part["classifications"]
            ]
            assert set(hit["classification"]) == set(columns)
            told = {"qualifiedName": hit["qualifiedName"], "type": hit["entityType"], "collection": hit["collectionId"]}
            assert entity["collectionId"] == hit["collectionId"]
            bad = sorted(set(columns)) if columns and hit["collectionId"] in ("sales", "finance") else []
            if really or bad:
                findings.append({**told, "missing": really, "conflicts": bad})
            if shown - really:
                seem.append({**told, "lacks": shown - really})
        assert in_order(findings) == in_order(plain(TRUTH["findings"], "missing"))
        assert in_order(seem) == in_order(plain(TRUTH["only_seem"], "lacks"))

    def test_columns_come_with_their_table(self, reader):
        (hit,) = found(reader, {"attributeName": "qualifiedName", "operator": "eq", "attributeValue": CONFLICT})
        whole = entities(reader, hit["id"])
        (table,) = whole["entities"]
        columns = table["relationshipAttributes"]["columns"]
        assert [column["displayText"] for column in columns] == ["order_id", "product", "region", "amount", "booked_at"]
        assert {column["guid"] for column in columns} == set(whole["referredEntities"])
        assert (
            entities(reader, hit["id"], minExtInfo="true")["referredEntities"].keys()
            == whole["referredEntities"].keys()
        )
        bare = entities(reader, hit["id"], ignoreRelationships="true")
        assert bare["referredEntities"] == {}
        assert "relationshipAttributes" not in bare["entities"][0]
        column = named(reader, f"{CONFLICT}#product", "azure_sql_column")
        assert column["relationshipAttributes"]["table"]["guid"] == hit["id"]
        assert [one["typeName"] for one in column["classifications"]] == ["PII.Contact"]

    def test_many_by_guid_are_one_by_one(self, reader):
        guids = [hit["id"] for hit in search(reader, limit=60)["value"]]
        whole = entities(reader, *guids, *guids[:3])
        assert [entity["guid"] for entity in whole["entities"]] == guids
        for guid, entity in zip(guids, whole["entities"], strict=True):
            one = reader.read(f"{ENTITY}/guid/{guid}")
            assert one["entity"] == entity
            assert one["referredEntities"].items() <= whole["referredEntities"].items()
            assert reader.read(f"{ENTITY}/guid/{guid}/header")["guid"] == guid

    def test_many_by_name(self, reader):
        names = {"attr_1:qualifiedName": f"{TABLES}orders", "attr_2:qualifiedName": f"{TABLES}returns"}
        path = f"{ENTITY}/bulk/uniqueAttribute/type/azure_sql_table"
        told = reader.ask("GET", path, "", params=names).json()["entities"]
        assert [entity["attributes"]["name"] for entity in told] == ["orders", "returns"]

    @pytest.mark.off_spec("guid is missing", "has no parameter attr:name")
    def test_what_is_not_there(self, reader):
        missing = (404, "ATLAS-404-00-005")
        nobody = "00000000-0000-0000-0000-000000000000"
        (hit,) = search(reader, limit=1)["value"]
        assert refused(reader.ask("GET", f"{ENTITY}/guid/{nobody}")) == missing
        bulk = reader.ask("GET", f"{ENTITY}/bulk", "", params={"guid": [hit["id"], nobody]})
        assert refused(bulk) == missing
        assert refused(reader.ask("GET", f"{ENTITY}/bulk")) == (400, "ATLAS-400-00-01A")
        path = f"{ENTITY}/uniqueAttribute/type"
        asked = {"attr:qualifiedName": "mssql://nowhere"}
        assert refused(reader.ask("GET", f"{path}/azure_sql_db", "", params=asked)) == (404, "ATLAS-404-00-009")
        assert refused(reader.ask("GET", f"{path}/azure_sql", "", params=asked)) == (404, "ATLAS-404-00-001")
        assert refused(reader.ask("GET", f"{path}/azure_sql_db")) == (400, "ATLAS-400-00-01A")
        other = reader.ask("GET", f"{path}/azure_sql_db", "", params={"attr:name": "x"})
        assert refused(other) == (400, "ATLAS-400-00-013")

    def test_a_line_that_is_too_long(self, reader):
        guids = [hit["id"] for hit in search(reader, limit=200)["value"]]
        assert len(entities(reader, *guids[:180])["entities"]) == 180
        assert reader.ask("GET", f"{ENTITY}/bulk", "", params={"guid": guids}).status_code == 414


def plain(told, key):
    return [{**{name: value for name, value in one.items() if name != "product"}, key: set(one[key])} for one in told]


def in_order(told):
    return sorted(told, key=lambda one: (one["qualifiedName"], one["type"]))


class TestRoles:
    @pytest.mark.parametrize(
        ("roles", "status"),
        [
            (["purview-reader"], 200),
            (["data-curator"], 200),
            (["data-source-administrator"], 403),
            (["collection-administrator"], 403),
        ],
    )
    def test_only_readers_and_curators_read(self, change_roles, roles, status):
        purview = change_roles(roles)
        assert ask(purview).status_code == status
        assert purview.ask("GET", f"{ENTITY}/guid/x").status_code == (404 if status == 200 else status)

    @pytest.mark.off_spec("metadataPolicies")  # sends back what it read
    def test_hits_are_of_the_collections_that_the_caller_may_read(self, purview):
        """Without a role of its own there and without what is above, a collection is as if it were empty."""
        gone = found(purview, {"collectionId": "consent"})[0]["id"]
        (policy,) = purview.read(POLICIES, params={"collectionName": "consent"})["values"]
        rules = policy["properties"]["attributeRules"]
        (permission,) = [rule for rule in rules if rule["id"] == "permission:consent"]
        inherited = permission["dnfCondition"].pop()
        assert inherited[0]["attributeValueIncludes"] == "permission:customer"
        assert purview.put(f"{POLICIES}/{policy['id']}", policy).status_code == 200
        left = TRUTH["hits"] - TRUTH["collections"]["consent"]
        assert search(purview)["@search.count"] == left
        assert found(purview, {"collectionId": "consent"}) == []
        assert refused(purview.ask("GET", f"{ENTITY}/guid/{gone}")) == (403, "ATLAS-403-00-001")

    @pytest.fixture
    def change_roles(self, tmp_path):
        def open_it(roles):
            folder = tmp_path / "contoso"
            source = CATALOG_TRUTH.parents[2] / "src/sovereignmesh/sandbox/estates/contoso"
            folder.mkdir()
            for path in source.glob("*.*"):
                (folder / path.name).write_bytes(path.read_bytes())
            described = json.loads((folder / "estate.json").read_text())
            described["purview"][ACCOUNT]["roles"] = roles
            (folder / "estate.json").write_text(json.dumps(described))
            return Purview(folder, ACCOUNT)

        return open_it
