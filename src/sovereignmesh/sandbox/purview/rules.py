"""Classification rules and scan rulesets, the system's among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, Account, routes
from sovereignmesh.sandbox.purview.answers import (
    body_of,
    check_name,
    created,
    flag,
    gone,
    invalid,
    missing,
    object_in,
    page,
    referenced,
)
from sovereignmesh.sandbox.purview.kinds import SOURCE_KINDS
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES", "SYSTEM_RULESETS"]

_RULES: Final = "classificationrules"
_RULESETS: Final = "scanrulesets"
_RULE, _RULESET, _SYSTEM = "ClassificationRule", "ScanRuleset", "SystemScanRuleset"
_CURATOR: Final = frozenset({"data-curator", "data-source-administrator"})
_SINCE: Final = "2021-07-30T22:44:12.8621638Z"
_EXTENSIONS: Final = (
    "CSV JSON PSV SSV TSV GZ TXT XML PARQUET AVRO ORC Documents DOC DOCM DOCX DOT ODP ODS ODT PDF POT PPS PPSX PPT "
    "PPTM PPTX XLC XLS XLSB XLSM XLSX XLT"
)
_OF_FILES: Final = frozenset({"AzureFileService", "AdlsGen1", "AdlsGen2", "AmazonS3", "AzureStorage"})
_KINDS: Final = (
    "AzureFileService", "AdlsGen1", "AzureSqlDatabase", "AzureDataExplorer", "SqlServerDatabase",
    "AzureSynapseWorkspace", "AmazonSql", "AdlsGen2", "AmazonS3", "AzureSqlDatabaseManagedInstance", "AmazonPostgreSql",
    "AzureSqlDataWarehouse", "AzureCosmosDb", "AzureStorage", "AzureSynapse", "AmazonAccount", "AzurePostgreSql",
    "AzureMySql", "Teradata", "Oracle",
)  # fmt: skip
_NAMES: Final = {"SqlServerDatabase": "SqlServer", "AzureSynapseWorkspace": "AzureSynapseSQL"}  # as recorded
_TEMPORARY: Final = {
    "resourceFilterPattern": r"(_SUCCESS|_started_\d*|_committed_\d*|_committed_vacuum\d*)$",
    "ingestTemporaryResource": True,
}


def _system_ruleset(kind: str) -> Body:
    what = "file types for schema extraction and classification, and all supported system" if kind in _OF_FILES else ""
    rule = {"scanningRule": {"fileExtensions": _EXTENSIONS.split(), "customFileExtensions": None}} if what else {}
    return {
        "properties": {
            **rule,
            "createdAt": _SINCE,
            "collection": None,
            "description": (
                "Microsoft default scan rule set that includes all supported "
                f"{what or 'system'} classification rules"
            ),
            "excludedSystemClassifications": [],
            "includedCustomClassificationRuleNames": [],
            "temporaryResourceFilters": [],
            "lastModifiedAt": _SINCE,
        },
        "kind": kind,
        "scanRulesetType": "System",
        "status": "Enabled",
        "version": 1,
        "id": f"systemscanrulesets/{kind}",
        "name": _NAMES.get(kind, kind),
    }  # fmt: skip


_BY_KIND: Final = {kind: _system_ruleset(kind) for kind in _KINDS}
# By kind and by name: scans use either.
SYSTEM_RULESETS: Final[dict[str, Body]] = {ruleset["name"]: ruleset for ruleset in _BY_KIND.values()} | _BY_KIND


def _list_rules(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return account.page(_RULES, call)


def _get_rule(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(account.shown(_RULES, names["rule"], _RULE))


def _put_rule(account: Account, call: Call, names: dict[str, str]) -> Reply:
    """Every PUT makes a new version."""
    check_name(_RULE, names["rule"])
    body = body_of(call, _RULE)
    given = object_in(body, "properties", _RULE)
    if body.get("kind") != "Custom":
        raise invalid(_RULE, f"'{body.get('kind')}' is no kind of classification rule that can be written: Custom is.")
    if not given.get("classificationName"):
        raise invalid(_RULE, "The request body is invalid: 'properties.classificationName' is required.")
    before = account.get(_RULES, names["rule"])
    name = before["name"] if before else names["rule"]
    version = before["properties"]["version"] + 1 if before else 1
    kept = {
        "properties": {
            "minimumDistinctMatchCount": given.get("minimumDistinctMatchCount"),
            "minimumPercentageMatch": given.get("minimumPercentageMatch"),
            "classificationAction": "Keep",
            "dataPatterns": _patterns(given, "dataPatterns"),
            "columnPatterns": _patterns(given, "columnPatterns"),
            "classificationRuleBloomFilter": None,
            "description": str(given.get("description") or ""),
            "version": version,
            "classificationName": str(given["classificationName"]),
            "owner": None,
            "ruleStatus": flag(given.get("ruleStatus"), ("Enabled", "Disabled"), "Enabled", "status of a rule", _RULE),
            "createdAt": before["properties"]["createdAt"] if before else account.now,
            "lastModifiedAt": account.now,
            "collection": None,
        },
        "kind": "Custom",
        "id": f"classificationrules/{name}",
        "name": name,
    }
    account.put(_RULES, name, kept)
    account.put(_versions(name), str(version), {**kept, "id": f"{kept['id']}/versions/{version}"})
    return created(call, kept, new=before is None)


def _patterns(given: dict[str, Any], key: str) -> list[Body]:
    patterns = given.get(key) or []
    if not isinstance(patterns, list) or not all(_is_pattern(pattern) for pattern in patterns):
        raise invalid(_RULE, f"The request body is invalid: '{key}' must be a list of patterns of kind Regex.")
    return [{"pattern": pattern["pattern"], "kind": "Regex"} for pattern in patterns]


def _is_pattern(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") == "Regex" and isinstance(value.get("pattern"), str)


def _delete_rule(account: Account, _: Call, names: dict[str, str]) -> Reply:
    name = names["rule"].lower()
    for ruleset in account.all(_RULESETS).values():
        included = ruleset["properties"]["includedCustomClassificationRuleNames"] or ()
        if name in (rule.lower() for rule in included):
            raise referenced(_RULE, names["rule"], f"the scan ruleset '{ruleset['name']}'")
    account.drop(_RULES, name)
    account.drop_all(_versions(name))
    return gone()


def _list_versions(account: Account, call: Call, names: dict[str, str]) -> Reply:
    if account.get(_RULES, names["rule"]) is None:
        raise missing(_RULE, names["rule"])
    return account.page(_versions(names["rule"]), call)


def _tag(account: Account, call: Call, names: dict[str, str]) -> Reply:
    shelf = _versions(names["rule"])
    found = account.get(shelf, names["version"])
    if found is None:
        raise missing(_RULE, f"{names['rule']}/versions/{names['version']}")
    action = flag(call.query.get("action"), ("Keep", "Delete"), "", "action", _RULE)
    if not action:
        raise invalid(_RULE, "The query parameter 'action' is required.")
    account.put(
        shelf, names["version"], {**found, "properties": {**found["properties"], "classificationAction": action}}
    )
    body = {"scanResultId": None, "startTime": None, "endTime": None, "status": "Accepted", "error": None}
    where = f"https://{call.host}{call.path}?api-version={call.query['api-version']}"
    return json_reply(body, 202, {"Operation-Location": where})


def _versions(rule: str) -> str:
    return f"ruleversions/{rule.lower()}"


def _list_rulesets(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return account.page(_RULESETS, call)


def _get_ruleset(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(account.shown(_RULESETS, names["ruleset"], _RULESET))


def _put_ruleset(account: Account, call: Call, names: dict[str, str]) -> Reply:
    """The body replaces the whole: a list that is not given becomes null, as was recorded."""
    check_name(_RULESET, names["ruleset"])
    body = body_of(call, _RULESET)
    given = object_in(body, "properties", _RULESET)
    kind = body.get("kind")
    if kind not in SOURCE_KINDS:
        raise invalid(_RULESET, f"'{kind}' is no kind of data source.")
    flag(body.get("scanRulesetType"), ("Custom",), "Custom", "type of scan ruleset that can be written", _RULESET)
    included = _texts(given, "includedCustomClassificationRuleNames")
    for rule in included or ():
        if account.get(_RULES, rule) is None:
            raise invalid(_RULESET, f"The classification rule '{rule}' does not exist.")
    before = account.get(_RULESETS, names["ruleset"])
    name = before["name"] if before else names["ruleset"]
    files = {"scanningRule": _scanning_rule(given)} if "scanningRule" in given or kind in _OF_FILES else {}
    kept = {
        "properties": {
            **files,
            "createdAt": before["properties"]["createdAt"] if before else account.now,
            "collection": None,
            "description": given.get("description"),
            "excludedSystemClassifications": _texts(given, "excludedSystemClassifications"),
            "includedCustomClassificationRuleNames": included,
            "temporaryResourceFilters": [_TEMPORARY],
            "lastModifiedAt": account.now,
        },
        "kind": kind,
        "scanRulesetType": "Custom",
        "status": "Enabled",
        "version": before["version"] + 1 if before else 1,
        "id": f"scanrulesets/{name}",
        "name": name,
    }
    account.put(_RULESETS, name, kept)
    return created(call, kept, new=before is None)


def _texts(given: dict[str, Any], key: str) -> list[str] | None:
    found = given.get(key)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise invalid(_RULESET, f"The request body is invalid: '{key}' must be a list of texts.")
    return found


def _scanning_rule(given: dict[str, Any]) -> Body:
    rule = given.get("scanningRule") or {}
    if not isinstance(rule, dict):
        raise invalid(_RULESET, "The request body is invalid: 'scanningRule' must be an object.")
    return {"fileExtensions": _texts(rule, "fileExtensions"), "customFileExtensions": rule.get("customFileExtensions")}


def _delete_ruleset(account: Account, _: Call, names: dict[str, str]) -> Reply:
    name = names["ruleset"].lower()
    for shelf in account.shelves("scans"):
        for scan in account.all(shelf).values():
            used = scan["properties"]
            if used.get("scanRulesetType") == "Custom" and str(used.get("scanRulesetName")).lower() == name:
                raise referenced(_RULESET, names["ruleset"], f"the scan '{scan['name']}' of '{scan['dataSourceName']}'")
    account.drop(_RULESETS, name)
    return gone()


def _list_system(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return page(call, list(_BY_KIND.values()), account.page_size)


def _get_system(_: Account, __: Call, names: dict[str, str]) -> Reply:
    return json_reply(_of_kind(names["kind"]))


def _latest(_: Account, call: Call, __: dict[str, str]) -> Reply:
    return json_reply(_of_kind(call.query.get("datasourcetype", "")))


def _of_version(_: Account, call: Call, names: dict[str, str]) -> Reply:
    found = _of_kind(call.query.get("datasourcetype", ""))
    if names["version"] != str(found["version"]):
        raise missing(_SYSTEM, f"{found['name']}/versions/{names['version']}")
    return json_reply(found)


def _system_versions(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return page(call, [_of_kind(call.query.get("datasourcetype", ""))], account.page_size)


def _of_kind(kind: str) -> Body:
    if kind not in _BY_KIND:
        raise missing(_SYSTEM, kind)
    return _BY_KIND[kind]


_ONE: Final = r"/classificationrules/(?P<rule>[^/]+)"
_SET: Final = r"/scanrulesets/(?P<ruleset>[^/]+)"
ROUTES: Final = routes(
    "/scan",
    ("GET", r"/classificationrules", _list_rules, ANY_ROLE),
    ("GET", _ONE, _get_rule, ANY_ROLE),
    ("PUT", _ONE, _put_rule, _CURATOR),
    ("DELETE", _ONE, _delete_rule, _CURATOR),
    ("GET", rf"{_ONE}/versions", _list_versions, ANY_ROLE),
    ("POST", rf"{_ONE}/versions/(?P<version>[0-9]+)/?:tag", _tag, _CURATOR),
    ("GET", r"/scanrulesets", _list_rulesets, ANY_ROLE),
    ("GET", _SET, _get_ruleset, ANY_ROLE),
    ("PUT", _SET, _put_ruleset, _CURATOR),
    ("DELETE", _SET, _delete_ruleset, _CURATOR),
    ("GET", r"/systemScanRulesets", _list_system, ANY_ROLE),
    ("GET", r"/systemScanRulesets/datasources/(?P<kind>[^/]+)", _get_system, ANY_ROLE),
    ("GET", r"/systemScanRulesets/versions", _system_versions, ANY_ROLE),
    ("GET", r"/systemScanRulesets/versions/latest", _latest, ANY_ROLE),
    ("GET", r"/systemScanRulesets/versions/(?P<version>[^/]+)", _of_version, ANY_ROLE),
)
