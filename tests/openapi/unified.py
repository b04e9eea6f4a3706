"""The Unified Catalog's operations that are used here, as its specification 2026-03-20-preview has them.

Retyped from CatalogApiService.json, which is no part of the specifications beside the project:
https://github.com/Azure/azure-rest-api-specs/tree/main/specification/purviewdatagovernance/data-plane/Azure.Analytics.Purview.UnifiedCatalog/preview/2026-03-20-preview
and the pages below https://learn.microsoft.com/rest/api/purview/purview-unified-catalog/. What is left
out is that a domain's body must have `parentId` and `systemData`: a domain at the root has no parent, and the portal
makes such (https://learn.microsoft.com/purview/unified-catalog-governance-domains-create-manage); `systemData` is the
service's own. Of the examples those of BusinessDomain_Create, BusinessDomain_Enumerate and DataProducts_Create are
official ones, shortened; the others are synthetic.
"""

NAME = "unified-2026-03-20-preview"
ID, OTHER = "4e74f902-62f5-49f4-8258-92ed2b8537ba", "7e74f902-62f5-49f4-8258-92ed2b8537ba"


def _enum(*words):
    return {"type": "string", "enum": list(words), "x-ms-enum": {"modelAsString": True}}


def _list(of):
    return {"type": "array", "items": of}


def _object(*, required=(), **properties):
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def _ref(name):
    return {"$ref": f"#/definitions/{name}"}


def _paged(name):
    return _object(required=["value"], value=_list(_ref(name)), nextLink=_TEXT)


_TEXT, _FLAG, _UUID = {"type": "string"}, {"type": "boolean"}, {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time"}
_ATTRIBUTES = _list(_object(name=_TEXT, value=_TEXT, isRequired=_FLAG))
_LINKS = _list(_object(url=_TEXT, name=_TEXT, dataAssetId=_UUID))
_PEOPLE = _list(_object(id=_UUID, description=_TEXT))
_DEFINITIONS = {
    "Status": _enum("DRAFT", "PUBLISHED", "EXPIRED"),
    "SystemData": _object(
        provisioningState=_enum("Unknown", "Succeeded", "SoftDeleted"),
        createdAt=_TIME, createdBy=_UUID, lastModifiedAt=_TIME, lastModifiedBy=_UUID, expiredAt=_TIME, expiredBy=_UUID,
    ),
    "Domain": _object(
        required=["id", "thumbnail", "domains", "managedAttributes"],
        status=_ref("Status"),
        type=_enum("FunctionalUnit", "LineOfBusiness", "DataDomain", "Regulatory", "Project"),
        id=_UUID, name=_TEXT, isRestricted=_FLAG, systemData=_ref("SystemData"), description=_TEXT, parentId=_UUID,
        thumbnail=_object(color=_TEXT),
        domains=_list(_object(name=_TEXT, friendlyName=_TEXT, relatedCollections=_list({"type": "object"}))),
        managedAttributes=_ATTRIBUTES,
    ),
    "PagedDomain": _paged("Domain"),
    "DataProduct": _object(
        required=["id"],
        status=_ref("Status"),
        type=_enum(
            "Master", "Reference", "Analytical", "AI", "MasterDataAndReferenceData", "BusinessSystemOrApplication",
            "ModelTypes", "DashboardsOrReports", "Operational", "MLAITrainingDataSet", "MLAITestingDataSet",
            "TransactionalDataset", "AnalyticsModel", "SemanticModel",
        ),
        updateFrequency=_enum("Hourly", "Daily", "Weekly", "Monthly", "Quarterly", "Yearly"),
        managedAttributes=_ATTRIBUTES, id=_UUID, name=_TEXT, systemData=_ref("SystemData"), domain=_UUID,
        description=_TEXT, businessUse=_TEXT,
        contacts=_object(owner=_PEOPLE, expert=_PEOPLE, databaseAdmin=_PEOPLE),
        termsOfUse=_LINKS, documentation=_LINKS, sensitivityLabel=_TEXT, endorsed=_FLAG,
        activeSubscriberCount={"type": "integer", "format": "int32"}, dataQualityScore={"type": "number"},
        audience=_list(
            _enum(
                "DataEngineer", "BIEngineer", "DataAnalyst", "DataScientist", "BusinessAnalyst", "SoftwareEngineer",
                "BusinessUser", "Executive",
            )
        ),
        additionalProperties=_object(assetCount={"type": "integer", "format": "int64"}),
    ),
    "PagedDataProduct": _paged("DataProduct"),
}  # fmt: skip
_VERSION = {"name": "api-version", "in": "query", "required": True, "type": "string"}
_SENT_DOMAIN = {
    "id": ID, "name": "Sales", "type": "FunctionalUnit", "status": "PUBLISHED", "isRestricted": True,
    "description": "This is my domain", "parentId": OTHER, "thumbnail": {"color": "#FFFFFF"},
    "domains": [{"name": "sales", "friendlyName": "Sales", "relatedCollections": []}],
    "managedAttributes": [{"name": "region"}], "systemData": {"createdAt": "2025-06-16T21:01:37.447Z", "createdBy": ID},
}  # fmt: skip
_SENT_PRODUCT = {
    "id": ID, "name": "myDataProduct", "domain": OTHER, "type": "Master", "status": "DRAFT", "endorsed": True,
    "description": "Superstore sales", "businessUse": "Forecasting of future revenue. Sales trend analysis.",
    "contacts": {"owner": [{"id": ID, "description": "db1"}], "expert": [{"id": OTHER}]}, "updateFrequency": "Daily",
    "termsOfUse": [{"url": "https://www.microsoft.com", "name": "Microsoft", "dataAssetId": ID}],
    "activeSubscriberCount": 17, "dataQualityScore": 9, "additionalProperties": {"assetCount": 18},
}  # fmt: skip


def _operation(name, parameters, status, answer, *, given, body=None):
    """An operation with its one example; `answer` is a definition's name, or None."""
    schema = {"schema": _ref(answer)} if answer else {}
    return {
        "operationId": name,
        "parameters": [_VERSION, *parameters],
        "responses": {str(status): {"description": "", **schema}},
        "x-ms-examples": {
            name: {
                "value": {
                    "parameters": {"api-version": "2026-03-20-preview", **given},
                    "responses": {str(status): {} if body is None else {"body": body}},
                }
            }
        },
    }


def _of(kind, word, one, *, sent, lists):
    """The paths of a kind: the list, and one of it. `lists` are the query parameters of the list."""
    verb = "Enumerate" if word == "BusinessDomain" else "List"
    identity = {"name": f"{one}Id", "in": "path", "required": True, "type": "string", "format": "uuid"}
    single, given = one[0].upper() + one[1:], {f"{one}Id": ID}
    listing = f"Paged{single}"
    body = {"name": one, "in": "body", "required": True, "schema": _ref(single)}
    queries = [{"name": name, "in": "query", "required": False, **declared} for name, declared in lists.items()]
    return {
        f"/{kind}": {
            "get": _operation(f"{word}_{verb}", queries, 200, listing, given={}, body={"value": [sent]}),
            "post": _operation(f"{word}_Create", [body], 201, single, given={one: sent}, body=sent),
        },
        f"/{kind}/{{{one}Id}}": {
            "get": _operation(f"{word}_Get", [identity], 200, single, given=given, body=sent),
            "put": _operation(f"{word}_Update", [identity, body], 200, single, given={**given, one: sent}, body=sent),
            "delete": _operation(f"{word}_Delete", [identity], 204, None, given=given),
        },
    }


_COUNT = {"type": "integer", "format": "int32"}
SPEC = {
    "definitions": _DEFINITIONS,
    "paths": {
        **_of(
            "businessdomains", "BusinessDomain", "domain",
            sent=_SENT_DOMAIN, lists={"$skipToken": _TEXT, "writeOnly": _FLAG},
        ),
        **_of(
            "dataProducts", "DataProducts", "dataProduct",
            sent=_SENT_PRODUCT, lists={"skip": _COUNT, "top": _COUNT, "domainId": _UUID, "orderBy": _TEXT},
        ),
    },
}  # fmt: skip
