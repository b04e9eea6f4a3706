"""Search and entities through the client: pages by token, what is refused, and what an entity says."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

import sovereignmesh as sm
from sovereignmesh.azure.purview import Asset, Column, PurviewAccount
from sovereignmesh.errors import AnswerError, DeniedError

ROOT = "https://contoso-purview.purview.azure.com"
SEARCH = f"{ROOT}/datamap/api/search/query"
BULK = f"{ROOT}/datamap/api/atlas/v2/entity/bulk"
ACCOUNT = PurviewAccount("/subscriptions/s", "contoso-purview", "westeurope", ROOT, f"{ROOT}/scan", "Enabled")
ONE, TWO, THREE = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
OWNER = "00000000-0000-0000-0000-0000000000aa"


def hit(identity=ONE, **more):
    return {"id": identity, "entityType": "azure_sql_table", "qualifiedName": "mssql://sql/db/dbo/t", **more}


def body(identity, **more):
    attributes = {"qualifiedName": f"mssql://sql/db/dbo/{identity[-1]}", "name": identity[-1]}
    told = {"typeName": "azure_sql_table", "guid": identity, "attributes": attributes, "status": "ACTIVE"}
    return told | more


def page(*hits, total=None, **more):
    return {"@search.count": len(hits) if total is None else total, "value": list(hits), **more}


@pytest.fixture
def data_map(azure):
    return sm.connect_purview(ACCOUNT, azure).data_map


def sent(service, number=-1):
    return json.loads(service.requests[number].body)


def guids(service):
    return [parse_qs(urlsplit(url).query)["guid"] for url in service.urls]


def test_pages_follow_the_token_to_its_end(data_map, service):
    service.says(
        SEARCH,
        page(hit(ONE), hit(TWO), total=3, continuationToken="next"),
        page(hit(THREE), total=3, continuationToken=None),
        method="POST",
    )
    found = [each.id for one in data_map.pages({"collectionId": "sales"}) for each in one.hits]
    assert found == [ONE, TWO, THREE]
    assert sent(service, 0) == {"limit": 1000, "filter": {"collectionId": "sales"}}
    assert sent(service, 1) == {"limit": 1000, "filter": {"collectionId": "sales"}, "continuationToken": "next"}


def test_a_token_that_comes_again_ends_the_pages(data_map, service):
    service.says(SEARCH, page(hit(), continuationToken="again"), method="POST")
    with pytest.raises(AnswerError, match="do not end"):
        list(data_map.pages({}))
    assert len(service.requests) == 2


def test_what_a_hit_says(data_map, service):
    told = hit(
        name="orders", objectType="Tables", description="  Orders. ", owner="dbo", classification=["PII.Contact"],
        collectionId="sales",
        label=["Microsoft.Label.x"], contact=[
            {"id": "expert", "contactType": "Expert"}, {"id": OWNER, "contactType": "Owner"},
            {"id": None, "contactType": "Owner"},
        ],
    )  # fmt: skip
    service.says(SEARCH, page(told, hit(TWO, name=None, description=None, contact=None)), method="POST")
    hits = data_map.search({}).hits
    assert [one.collection for one in hits] == ["sales", None]
    first, second = map(Asset.of, hits)
    assert (first.name, first.description, first.owners, first.object_type) == ("orders", "Orders.", (OWNER,), "Tables")
    assert (first.classifications, first.labels) == (("PII.Contact",), ("Microsoft.Label.x",))
    assert (second.name, second.description, second.owners) == ("t", "", ())


@pytest.mark.parametrize(
    "answer",
    [
        {"value": []},
        {"@search.count": 0},
        {"@search.count": "3", "value": []},
        page("no object"),
        page({"id": ONE, "entityType": "azure_sql_table"}),
        page(hit(id="")),
        page(hit(contact={})),
        page(hit(label=[7])),
        page(hit(collectionId=7)),
        page(continuationToken=7),
        [],
    ],
)
def test_an_answer_that_is_none(data_map, service, answer):
    service.says(SEARCH, answer, method="POST")
    with pytest.raises(AnswerError):
        data_map.search({})


def test_a_search_is_asked_again_where_the_service_fails(data_map, service):
    busy = {"requestId": "r", "errorCode": "503", "errorMessage": "busy"}
    service.says(SEARCH, (503, busy), (429, busy, {"Retry-After": "1"}), page(hit()), method="POST")
    assert len(data_map.search({}).hits) == 1


def test_entities_together(data_map, service):
    service.says(BULK, {"entities": [body(TWO), body(ONE, status="DELETED")], "referredEntities": {}})
    assert list(data_map.entities([ONE, TWO])) == [TWO]
    assert guids(service) == [[ONE, TWO]]


def test_one_that_is_gone_does_not_hide_the_others(data_map, service):
    gone = {"requestId": "r", "errorCode": "ATLAS-404-00-005", "errorMessage": "Given guid is invalid/not found"}

    def answer(request):
        asked = parse_qs(urlsplit(request.url).query)["guid"]
        return (404, gone) if TWO in asked else {"entities": [body(each) for each in asked], "referredEntities": {}}

    service.says(BULK, answer)
    assert sorted(data_map.entities([ONE, TWO, THREE])) == [ONE, THREE]
    assert guids(service) == [[ONE, TWO, THREE], [ONE], [TWO, THREE], [TWO], [THREE]]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"entity": body(ONE), "referredEntities": {}}, ONE),
        ({"entity": {**body(ONE), "status": "DELETED"}}, None),
        ((404, {"requestId": "r", "errorCode": "ATLAS-404-00-005", "errorMessage": "not found"}), None),
    ],
)
def test_one_entity_alone_is_there_or_gone(data_map, service, answer, expected):
    service.says(BULK.replace("bulk", f"guid/{ONE}"), answer)
    found = data_map.entity(ONE)
    assert (found and found.id) == expected


@pytest.mark.parametrize("answer", [{}, {"entity": None}, {"entity": []}])
def test_one_entity_alone_that_is_none(data_map, service, answer):
    service.says(BULK.replace("bulk", f"guid/{ONE}"), answer)
    with pytest.raises(AnswerError):
        data_map.entity(ONE)


def test_what_is_denied_is_raised(data_map, service):
    service.says(BULK, (403, {"error": {"code": "Unauthorized", "message": "Not authorized to access account"}}))
    with pytest.raises(DeniedError, match="you lack a role"):
        data_map.entities([ONE])


def test_what_an_entity_says(data_map, service):
    column = {
        "typeName": "azure_sql_column", "guid": TWO, "attributes": {"name": "mail", "qualifiedName": "x#mail"},
        "classifications": [{"typeName": "PII.Contact"}],
    }  # fmt: skip
    table = body(
        ONE,
        contacts={"Owner": [{"id": OWNER, "info": ""}], "Expert": [{"id": "e"}]},
        classifications=[{"typeName": "Microsoft.Label.x"}],
        relationshipAttributes={"columns": [{"guid": TWO}, {"guid": "not here"}], "dbSchema": {"guid": THREE}},
    )
    table["attributes"] |= {"userDescription": " ", "description": "Of the source."}
    service.says(BULK, {"entities": [table], "referredEntities": {TWO: column, THREE: body(THREE)}})
    found = data_map.entities([ONE])[ONE]
    assert (found.description, found.owners) == ("Of the source.", (OWNER,))
    assert found.classifications == ("Microsoft.Label.x",)
    assert found.columns == (Column("mail", ("PII.Contact",)),)
    assert found.unresolved, "one column is not in the answer"


def test_the_columns_of_a_file_are_those_of_its_schema(data_map, service):
    columns = {
        TWO: {"typeName": "tabular_schema", "guid": TWO, "attributes": {"name": "s", "qualifiedName": "f#s"},
              "relationshipAttributes": {"columns": [{"guid": THREE}]}},
        THREE: {"typeName": "column", "guid": THREE, "attributes": {"name": "ssn", "qualifiedName": "f#ssn"},
                "classifications": [{"typeName": "PII.HighRisk"}]},
    }  # fmt: skip
    file = body(ONE, typeName="azure_datalake_gen2_path", relationshipAttributes={"tabular_schema": {"guid": TWO}})
    service.says(BULK, {"entities": [file], "referredEntities": columns})
    found = data_map.entities([ONE])[ONE]
    assert (found.columns, found.unresolved) == ((Column("ssn", ("PII.HighRisk",)),), False)


@pytest.mark.parametrize(
    ("relations", "referred", "expected"),
    [
        ({}, {}, (0, False)),
        ({"columns": []}, {}, (0, False)),
        ({"columns": None}, {}, (0, False)),
        ({"dbSchema": {"guid": TWO, "typeName": "azure_sql_schema"}}, {}, (0, False)),
        ({"columns": [{"guid": TWO}]}, {}, (0, True)),
        ({"columns": [{"guid": TWO, "entityStatus": "DELETED"}]}, {}, (0, False)),
        ({"columns": [{"guid": TWO}]}, {TWO: {"typeName": "azure_sql_column", "status": "DELETED"}}, (0, False)),
        ({"fields": [{"guid": TWO}]}, {TWO: {"typeName": "salesforce_field", "attributes": {"name": "f"}}}, (1, False)),
        ({"tabular_schema": {"guid": TWO}}, {}, (0, True)),
        ({"tabular_schema": None, "meanings": []}, {}, (0, False)),
        ({"tabular_schema": {"guid": TWO}}, {TWO: {"typeName": "tabular_schema"}}, (0, True)),
    ],
)  # fmt: skip
def test_columns_that_the_answer_does_not_bring(data_map, service, relations, referred, expected):
    service.says(BULK, {"entities": [body(ONE, relationshipAttributes=relations)], "referredEntities": referred})
    found = data_map.entities([ONE])[ONE]
    assert (len(found.columns), found.unresolved) == expected
    assert found.relations == relations


def test_a_search_that_answers_nothing_is_no_end(data_map, service):
    service.says(SEARCH, (200, b""), method="POST")
    with pytest.raises(AnswerError, match="the answer is empty"):
        list(data_map.pages({}))


def test_entities_by_name(data_map, service):
    service.says(f"{BULK}/uniqueAttribute/type/DataSet", {"entities": [body(ONE)], "referredEntities": {}})
    assert list(data_map.named("DataSet", ["mssql://sql/db/dbo/1", "sovereignmesh://x y"])) == ["mssql://sql/db/dbo/1"]
    query = parse_qs(urlsplit(service.urls[0]).query)
    assert query["attr_0:qualifiedName"] == ["mssql://sql/db/dbo/1"]
    assert query["attr_1:qualifiedName"] == ["sovereignmesh://x y"]


@pytest.mark.parametrize("answer", [{}, {"entities": [7]}, {"entities": [body(ONE, attributes=None)]}])
def test_entities_that_are_none(data_map, service, answer):
    service.says(BULK, answer)
    with pytest.raises(AnswerError):
        data_map.entities([ONE])
