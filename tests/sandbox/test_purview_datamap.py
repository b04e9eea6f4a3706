"""The Data Map: what search finds of an account's assets, and what its entities are."""

import json

import pytest
from estates.building import CATALOG_TRUTH
from sandbox.purview_client import Purview, without_what_is_above
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
        changed = without_what_is_above(policy, "consent")
        assert purview.put(f"{POLICIES}/{policy['id']}", changed).status_code == 200
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


def post(purview, *given, path=f"{ENTITY}/bulk", params=None, **more):
    return purview.ask("POST", path, "", json={"entities": list(given), **more}, params=params or {})


def made(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def entity(name, kind="azure_sql_table", **more):
    own = {"qualifiedName": name, "name": name.rpartition("/")[2], **more.pop("attributes", {})}
    return {"typeName": kind, "attributes": own, **more}


def process(name, sources, sinks, kind="azure_datafactory_process"):
    ends = {"inputs": sources, "outputs": sinks}
    return entity(name, kind, attributes=ends)


def by_name(name, kind="azure_sql_table"):
    return {"typeName": kind, "uniqueAttributes": {"qualifiedName": name}}


OWNER = {"Owner": [{"id": "30435ff9-9b96-44af-a5a9-e05c8b1ae2df", "info": "The steward."}]}
LACKS = f"{TABLES}price_lists_staging"  # everything
SEEMS = f"{TABLES}territories"  # a description


class TestWrites:
    def test_a_gap_is_mended(self, purview):
        before = named(purview, LACKS)
        given = {"guid": before["guid"], "attributes": {"userDescription": "Prices."}, "contacts": OWNER}
        told = made(post(purview, entity(LACKS, **given)))
        (header,) = told["mutatedEntities"]["UPDATE"]
        assert header["guid"] == before["guid"]
        assert told["guidAssignments"] == {before["guid"]: before["guid"]}
        after = named(purview, LACKS)
        assert after["contacts"] == OWNER
        assert int(after["lastModifiedTS"]) == int(before["lastModifiedTS"]) + 1
        assert after["relationshipAttributes"] == before["relationshipAttributes"]
        (hit,) = found(purview, {"id": before["guid"]})
        assert hit["description"] == "Prices."
        assert hit["contact"] == [{**OWNER["Owner"][0], "contactType": "Owner"}]

    def test_what_is_not_given_stays(self, purview):
        name = f"{TABLES}orders"
        before = named(purview, name)
        given = {"attributes": {"description": None}, "classifications": [{"typeName": "PII.Contact"}]}
        made(post(purview, entity(name, **given)))
        after = named(purview, name)
        changed = {key for key in after if after[key] != before[key]}
        assert changed == {"lastModifiedTS", "updateTime", "updatedBy"}

    def test_a_write_brings_the_index_up_to_date(self, purview):
        guid = named(purview, SEEMS)["guid"]
        assert found(purview, {"id": guid})[0]["description"] is None
        made(post(purview, entity(SEEMS)))
        assert found(purview, {"id": guid})[0]["description"]

    def test_the_index_lags_behind_a_write(self, open_map):
        purview = open_map(faults=["lagging-reads"])
        guid = named(purview, LACKS)["guid"]
        made(post(purview, entity(LACKS, attributes={"description": "Prices."})))
        assert named(purview, LACKS)["attributes"]["description"] == "Prices.", "the entity itself does not"
        seen = [found(purview, {"id": guid})[0]["description"] for _ in range(4)]
        assert seen == [None, None, "Prices.", "Prices."]
        new = made(post(purview, entity(f"{TABLES}new")))["mutatedEntities"]["CREATE"][0]["guid"]
        assert [len(found(purview, {"id": new})) for _ in range(3)] == [0, 0, 1]

    def test_new_ones_with_columns(self, purview):
        name = f"{TABLES}leads"
        own = {"attributes": {"data_type": "nvarchar"}, "classifications": [{"typeName": "PII.Contact"}]}
        column = entity(f"{name}#email", "azure_sql_column", guid="-2", **own)
        table = entity(name, guid="-1", relationshipAttributes={"columns": [{"guid": "-2"}]}, labels=["hot"])
        told = made(post(purview, table, referredEntities={"-2": column}, params={"collectionId": "sales"}))
        assert set(told["guidAssignments"]) == {"-1", "-2"}
        assert len(told["mutatedEntities"]["CREATE"]) == 2
        guid = told["guidAssignments"]["-1"]
        (hit,) = found(purview, {"id": guid})
        assert (hit["collectionId"], hit["classification"], hit["label"]) == ("sales", ["PII.Contact"], [])
        again = made(post(purview, table, table, referredEntities={"-2": column}))
        assert len(again["mutatedEntities"]["UPDATE"]) == 2
        assert again["guidAssignments"]["-1"] == guid
        one = purview.ask("POST", ENTITY, "", json={"entity": entity(f"{TABLES}one")})
        (header,) = made(one)["mutatedEntities"]["CREATE"]
        assert found(purview, {"id": header["guid"]})[0]["collectionId"] == ACCOUNT, "the root, where none is named"

    def test_one_refusal_refuses_all(self, purview):
        good = entity(f"{TABLES}good")
        for bad, code in (
            (entity(f"{TABLES}bad", "azure_sql_tables"), (400, "ATLAS-400-00-014")),
            ({"typeName": "azure_sql_table", "attributes": {"name": "bad"}}, (404, "ATLAS-404-00-007")),
            (entity(f"{CONFLICT}#product", "azure_sql_column"), (404, "ATLAS-404-00-007")),
            (entity("x", guid="00000000-0000-0000-0000-000000000000"), (404, "ATLAS-404-00-005")),
            (entity("x", contacts={"Owner": [OWNER["Owner"][0]] * 21}), (400, "ATLAS-400-00-01A")),
            (entity("x", contacts={"Steward": []}), (400, "ATLAS-400-00-01A")),
            (entity("x", contacts={"Owner": [{"info": "x"}]}), (400, "ATLAS-400-00-01A")),
            (entity("x", classifications=[{"typeName": "Microsoft.Label.X"}]), (404, "ATLAS-404-00-008")),
            (process("x", [{"guid": "-9"}], []), (404, "ATLAS-404-00-00A")),
            (process("x", [by_name("mssql://nowhere")], []), (404, "ATLAS-404-00-00A")),
            (process("x", ["orders"], []), (400, "ATLAS-400-00-021")),
        ):
            assert refused(post(purview, good, bad)) == code
        assert found(purview, {"attributeName": "name", "operator": "eq", "attributeValue": "good"}) == []
        assert refused(post(purview, good, params={"collectionId": "nowhere"})) == (400, "ATLAS-400-00-01A")

    def test_part_of_an_entity(self, purview):
        guid = named(purview, LACKS)["guid"]
        put = purview.ask("PUT", f"{ENTITY}/guid/{guid}", "", params={"name": "description"}, json="Prices.")
        assert made(put)["partialUpdatedEntities"][0]["guid"] == guid
        path, key = f"{ENTITY}/uniqueAttribute/type/azure_sql_table", {"attr:qualifiedName": LACKS}
        body = {"entity": {"typeName": "azure_sql_table", "attributes": {"displayName": "Price lists"}}}
        assert made(purview.ask("PUT", path, "", params=key, json=body))["mutatedEntities"]["UPDATE"]
        attributes = named(purview, LACKS)["attributes"]
        assert (attributes["description"], attributes["displayName"]) == ("Prices.", "Price lists")
        for name, value, code in (
            ("contacts", "x", "ATLAS-400-00-023"),
            ("owner", None, "ATLAS-400-00-028"),
            ("qualifiedName", "mssql://other", "ATLAS-400-00-027"),
        ):
            put = purview.ask("PUT", f"{ENTITY}/guid/{guid}", "", params={"name": name}, data=json.dumps(value))
            assert refused(put) == (400, code)

    def test_a_table_goes_with_its_columns(self, purview):
        table, column = named(purview, CONFLICT), named(purview, f"{CONFLICT}#product", "azure_sql_column")
        gone = made(purview.ask("DELETE", f"{ENTITY}/guid/{table['guid']}", ""))["mutatedEntities"]["DELETE"]
        assert len(gone) == 6
        for guid in (table["guid"], column["guid"]):
            assert refused(purview.ask("GET", f"{ENTITY}/guid/{guid}")) == (404, "ATLAS-404-00-005")
        assert search(purview)["@search.count"] == TRUTH["hits"] - 1
        many = [hit["id"] for hit in search(purview, limit=3)["value"]]
        several = made(purview.ask("DELETE", f"{ENTITY}/bulk", "", params={"guid": many}))
        assert len(several["mutatedEntities"]["DELETE"]) == 3
        key = {"attr:qualifiedName": LACKS}
        made(purview.ask("DELETE", f"{ENTITY}/uniqueAttribute/type/azure_sql_table", "", params=key))
        assert search(purview)["@search.count"] == TRUTH["hits"] - 5

    def test_to_another_collection(self, purview):
        guid = named(purview, CONFLICT)["guid"]
        path = "/datamap/api/entity/moveTo"
        moved = purview.ask(
            "POST", path, "2023-09-01", params={"collectionId": "finance"}, json={"entityGuids": [guid]}
        )
        assert made(moved)["mutatedEntities"]["UPDATE"][0]["guid"] == guid
        whole = entities(purview, guid)
        assert {one["collectionId"] for one in [*whole["entities"], *whole["referredEntities"].values()]} == {"finance"}
        made(post(purview, entity(CONFLICT), params={"collectionId": "Sales"}))
        assert named(purview, CONFLICT)["collectionId"] == "sales"
        answer = purview.ask("POST", path, "2023-09-01", params={"collectionId": "x"}, json={"entityGuids": [guid]})
        assert refused(answer) == (400, "ATLAS-400-00-01A")

    def test_classifications(self, purview):
        guid = named(purview, LACKS)["guid"]
        path = f"{ENTITY}/guid/{guid}"
        assert purview.ask("POST", f"{path}/classifications", "", json=[{"typeName": "PII.Contact"}]).status_code == 204
        body = {"classification": {"typeName": "PII.HighRisk"}, "entityGuids": [guid]}
        assert purview.ask("POST", f"{ENTITY}/bulk/classification", "", json=body).status_code == 204
        held = purview.read(f"{path}/classifications")["list"]
        assert [one["typeName"] for one in held] == ["PII.Contact", "PII.HighRisk"]
        assert found(purview, {"id": guid})[0]["classification"] == ["PII.Contact", "PII.HighRisk"]
        twice = purview.ask("POST", f"{path}/classifications", "", json=[{"typeName": "PII.Contact"}])
        assert refused(twice) == (400, "ATLAS-400-00-01B")
        assert purview.delete(f"{path}/classification/PII.Contact").status_code == 204
        assert refused(purview.delete(f"{path}/classification/PII.Contact")) == (400, "ATLAS-400-00-06D")

    def test_a_later_process_goes_on_with_what_was_written(self, open_map, tmp_path):
        state = tmp_path / "state.json"
        made(post(open_map(state=state), entity(LACKS, contacts=OWNER), entity(f"{TABLES}new")))
        later = open_map(state=state)
        assert named(later, LACKS)["contacts"] == OWNER
        assert search(later)["@search.count"] == TRUTH["hits"] + 1

    def test_a_collection_with_assets_stays(self, purview):
        assert refusal(purview.delete("/collections/consent")) == (409, "12005")


class TestLineage:
    @pytest.fixture
    def chain(self, purview):
        """orders and returns make revenue, which makes the ledger's journal; the tables by short name."""
        journal = "mssql://finance-sql.database.windows.net/ledger/dbo/journal"
        names = {name: f"{TABLES}{name}" for name in ("orders", "returns", "revenue")} | {"journal": journal}
        first = process("adf://sum", [by_name(names["orders"]), by_name(names["returns"])], [by_name(names["revenue"])])
        second = process("adf://book", [by_name(names["revenue"])], [by_name(names["journal"])], "Process")
        told = made(post(purview, first, second))
        guids = {name: named(purview, own)["guid"] for name, own in names.items()}
        processes = {one["attributes"]["qualifiedName"]: one["guid"] for one in told["mutatedEntities"]["CREATE"]}
        return {guid: name for name, guid in (guids | processes).items()}

    def lineage(self, purview, chain, name, way, **more):
        guid = next(guid for guid, own in chain.items() if own == name)
        answer = purview.ask("GET", f"/datamap/api/atlas/v2/lineage/{guid}", "", params={"direction": way, **more})
        told = made(answer)
        assert told["baseEntityGuid"] == guid
        relations = {(chain[one["fromEntityId"]], chain[one["toEntityId"]]) for one in told["relations"]}
        assert {chain[one] for one in told["guidEntityMap"]} == {end for pair in relations for end in pair}
        return relations

    def test_where_it_comes_from_and_goes_to(self, purview, chain):
        summed = {("orders", "adf://sum"), ("returns", "adf://sum"), ("adf://sum", "revenue")}
        booked = {("revenue", "adf://book"), ("adf://book", "journal")}
        assert self.lineage(purview, chain, "journal", "INPUT") == summed | booked
        assert self.lineage(purview, chain, "journal", "INPUT", depth=1) == booked
        assert self.lineage(purview, chain, "journal", "OUTPUT") == set()
        assert self.lineage(purview, chain, "revenue", "BOTH", depth=1) == summed | booked
        assert self.lineage(purview, chain, "orders", "OUTPUT", depth=1) == summed - {("returns", "adf://sum")}
        assert self.lineage(purview, chain, "adf://sum", "BOTH", depth=1) == summed

    def test_entities_know_their_processes(self, purview, chain):
        revenue = named(purview, f"{TABLES}revenue")["relationshipAttributes"]
        assert [one["displayText"] for one in revenue["inputToProcesses"]] == ["book"]
        assert [one["displayText"] for one in revenue["outputFromProcesses"]] == ["sum"]
        ends = named(purview, "adf://sum", "azure_datafactory_process")["attributes"]
        assert [one["uniqueAttributes"]["qualifiedName"] for one in ends["outputs"]] == [f"{TABLES}revenue"]
        assert found(purview, {"objectType": "Data pipelines"})

    def test_what_is_deleted_leads_nowhere(self, purview, chain):
        made(purview.ask("DELETE", f"{ENTITY}/guid/{named(purview, f'{TABLES}revenue')['guid']}", ""))
        assert self.lineage(purview, chain, "journal", "INPUT") == {("adf://book", "journal")}

    @pytest.mark.off_spec("direction", "depth")
    def test_bad_questions(self, purview, chain):
        path = f"/datamap/api/atlas/v2/lineage/{next(iter(chain))}"
        for bad in ({"direction": "UP"}, {"direction": "BOTH", "depth": "0"}, {"direction": "BOTH", "depth": "x"}, {}):
            assert refused(purview.ask("GET", path, "", params=bad)) == (400, "ATLAS-400-00-026")


class TestTypes:
    def test_every_type_of_an_asset_is_defined(self, reader):
        types = "/datamap/api/atlas/v2/types"
        listed = reader.read(f"{types}/typedefs", params={"type": "ENTITY"})
        assert listed["classificationDefs"] == []
        defined = {body["name"]: body for body in listed["entityDefs"]}
        assert set(TRUTH["types"]) | {"azure_sql_column", "Process"} <= set(defined)
        assert reader.read(f"{types}/entitydef/name/azure_sql_table") == defined["azure_sql_table"]
        assert reader.read(f"{types}/typedef/guid/{defined['Asset']['guid']}") == defined["Asset"]
        assert "userDescription" in {one["name"] for one in defined["Asset"]["attributeDefs"]}
        for body in defined.values():
            assert set(body["superTypes"]) <= set(defined)
        missing = (404, "ATLAS-404-00-001")
        assert refused(reader.ask("GET", f"{types}/classificationdef/name/azure_sql_table")) == missing
        assert refused(reader.ask("GET", f"{types}/entitydef/name/PII.Contact")) == missing
        every_one = reader.read(f"{types}/typedefs")
        assert every_one["entityDefs"] == listed["entityDefs"]
        assert {"PII.Contact", "PII.HighRisk"} <= {body["name"] for body in every_one["classificationDefs"]}
        assert len(reader.read(f"{types}/typedefs/headers", params={"type": "ENTITY"})) == len(defined)


class TestFaults:
    def test_denied(self, open_map):
        assert ask(open_map(faults=["search-denied"])).status_code == 403

    def test_denied_for_one_collection(self, open_map):
        purview = open_map(faults=["search-denied-one"])
        for _ in range(2):
            assert ask(purview, filter={"and": [{"collectionId": "Finance"}]}).status_code == 403
            assert ask(purview, filter={"collectionId": "sales"}).status_code == 200
            assert ask(purview).status_code == 200

    def test_throttled(self, open_map):
        purview = open_map(faults=["throttled:search"])
        for _ in range(2):
            answer = ask(purview)
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert ask(purview).status_code == 200

    def test_a_token_that_is_refused(self, open_map):
        once, always = open_map(faults=["search-token-refused"]), open_map(faults=["search-token-refused-always"])
        for purview in (once, always):
            token = search(purview)["continuationToken"]
            assert refused(ask(purview, continuationToken=token)) == (400, "ATLAS-400-00-01A")
        assert len(every(once)) == TRUTH["hits"]
        assert ask(always, continuationToken=search(always)["continuationToken"]).status_code == 400

    def test_rows_that_are_lost(self, open_map):
        told = search(open_map(faults=["search-loses-rows"]), limit=1000)
        assert (told["@search.count"], len(told["value"])) == (TRUTH["hits"], TRUTH["hits"] - 1)

    def test_an_entity_that_was_deleted_meanwhile(self, open_map):
        purview = open_map(faults=["entity-deleted"])
        first, second = (hit["id"] for hit in search(purview, limit=2)["value"])
        for _ in range(2):
            bulk = purview.ask("GET", f"{ENTITY}/bulk", "", params={"guid": [first, second]})
            assert refused(bulk) == refused(purview.ask("GET", f"{ENTITY}/guid/{first}")) == (404, "ATLAS-404-00-005")
        assert len(entities(purview, second)["entities"]) == 1

    def test_an_entity_that_an_answer_lacks(self, open_map):
        purview = open_map(faults=["entity-lost"])
        first, second = (hit["id"] for hit in search(purview, limit=2)["value"])
        assert [one["guid"] for one in entities(purview, first, second)["entities"]] == [second]
        assert purview.ask("GET", f"{ENTITY}/guid/{first}").status_code == 200
