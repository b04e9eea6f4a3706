"""What is sent or answered although the specification does not have it, each with its reason."""

_EXAMPLE = "the official example sends it"
_SKU = "read-only since 2021-12-01; 2021-07-01 was recorded with it"
_FILE_TYPE = "properties.scanningRule.customFileExtensions.*.customFileType"

# (operation, place in the body with a star for each index, kind of error): reason. `null` is a null that no schema has.
SENT_ANYWAY = {
    ("scanning-2023-09-01/Scans_CreateOrReplace", "lastRunResult", "read-only"): _EXAMPLE,
    ("scanning-2023-09-01/Scans_CreateOrReplace", "properties.workers", "null"): _EXAMPLE,
    ("scanning-2023-09-01/Scans_CreateOrReplace", "properties.connectedVia", "null"): _EXAMPLE,
    ("scanning-2023-09-01/Triggers_CreateOrReplace", "properties.recurrenceInterval", "null"): _EXAMPLE,
    ("scanning-2023-09-01/ScanRulesets_CreateOrReplace", "properties.description", "null"): _EXAMPLE,
    ("scanning-2023-09-01/ScanRulesets_CreateOrReplace", f"{_FILE_TYPE}.builtInType", "null"): _EXAMPLE,
    ("scanning-2023-09-01/ScanRulesets_CreateOrReplace", f"{_FILE_TYPE}.customDelimiter", "null"): _EXAMPLE,
    ("scanning-2018-12-01-preview/Scans_CreateOrUpdate", "properties.connectedVia", "null"): _EXAMPLE,
    ("scanning-2018-12-01-preview/Triggers_CreateTrigger", "properties.recurrenceInterval", "null"): _EXAMPLE,
    ("scanning-2018-12-01-preview/ScanRulesets_CreateOrUpdate", "properties.description", "null"): _EXAMPLE,
    ("scanning-2018-12-01-preview/ScanRulesets_CreateOrUpdate", f"{_FILE_TYPE}.builtInType", "null"): _EXAMPLE,
    ("scanning-2018-12-01-preview/ScanRulesets_CreateOrUpdate", f"{_FILE_TYPE}.customDelimiter", "null"): _EXAMPLE,
    ("datamap-2023-09-01/Discovery_Query", "keywords", "null"): "the official examples filter without a keyword so",
    ("arm-purview-2021-12-01/Accounts_CreateOrUpdate", "sku", "read-only"): _SKU,
} | {
    (
        f"account-{version}/ResourceSetRules_CreateOrUpdateResourceSetRule",
        f"pathPatternConfig.{rules}.*.description",
        "null",
    ): _EXAMPLE
    for version in ("2019-11-01-preview", "2023-10-01-preview")
    for rules in ("complexReplacers", "regexReplacers")
}

# (operation, query parameter): reason.
QUERY_ANYWAY = {
    ("workflow-2023-10-01-preview/WorkflowTask_Get", "api-version"): _EXAMPLE + ", as every other operation has it",
}

# Property: reason. A null for a number in an answer; for strings, arrays and objects it is usual.
NULL_NUMBERS = {
    "workers": "the official examples of scans answer it",
    "minimumPercentageMatch": "recorded for every classification rule without one",
}
