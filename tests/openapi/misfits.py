"""Where the official examples and the recordings do not fit the specifications, exactly, and why."""

# Parameters that examples have and operations do not: example -> the names, by why.
_SCANNING = ("scanning-2018-12-01-preview", "scanning-2023-09-01")
_ACCOUNT = ("account-2019-11-01-preview", "account-2023-10-01-preview")
_OF_OLD = "subscriptionId resourceGroupName dataCatalogName"  # of the service before Purview
_OF_RULES = "accountId resourceSetRuleConfigName"  # in the path until it became `defaultResourceSetRuleConfig`
_OF_LISTS = "skipToken"  # the service pages with it, and no list of scanning declares it
LEFTOVERS = {
    **{f"{it}/ClassificationRules_{name}": _OF_OLD for it in _SCANNING for name in ("Get", "Delete")},
    "scanning-2018-12-01-preview/ClassificationRules_ListAll": _OF_OLD,
    "scanning-2018-12-01-preview/ClassificationRules_ListVersionsByClassificationRuleName": _OF_OLD,
    "scanning-2023-09-01/ClassificationRules_List": _OF_OLD,
    "scanning-2023-09-01/ClassificationRules_ListVersionsByRuleName": _OF_OLD,
    **{f"{it}/Scans_ListByDataSource": _OF_LISTS for it in _SCANNING},
    **{f"{it}/ScanResult_ListScanHistory": _OF_LISTS for it in _SCANNING},
    "scanning-2018-12-01-preview/KeyVaultConnections_ListAll": _OF_LISTS,
    "scanning-2023-09-01/KeyVaultConnections_List": _OF_LISTS,
    # Copied from the example of one object to that of its list.
    "scanning-2018-12-01-preview/DataSources_ListAll": "dataSourceName",
    "scanning-2023-09-01/DataSources_List": "dataSourceName",
    "scanning-2018-12-01-preview/ScanRulesets_ListAll": "scanRulesetName",
    "scanning-2023-09-01/ScanRulesets_List": "scanRulesetName",
    # In the path until it became `default`.
    **{f"scanning-2018-12-01-preview/Triggers_{it}Trigger": "triggerName" for it in ("Get", "Create", "Delete")},
    **{f"scanning-2023-09-01/Triggers_{it}": "triggerName" for it in ("Get", "CreateOrReplace", "Delete")},
    **{f"scanning-2023-09-01/Triggers_{it}": "triggerName" for it in ("Enable", "Disable")},
    **{
        f"{it}/ResourceSetRules_{name}": _OF_RULES
        for it in _ACCOUNT
        for name in (
            "GetResourceSetRule",
            "CreateOrUpdateResourceSetRule",
            "DeleteResourceSetRule",
            "ListResourceSetRules",
        )
    },
    "account-2023-10-01-preview/Accounts_UpdateAccountProperties": "accountName",  # it is in the host
    "datamap-2023-09-01/Entity_GetSampleBusinessMetadataTemplate": "api-version",
    "datamap-2023-09-01/Glossary_GetTermWithoutAssets": "excludeRelationshipTypes",  # of an earlier service
    "datamap-2023-09-01/Lineage_Get": "width",  # of an earlier service
    "datamap-2023-09-01/Lineage_GetByUniqueAttribute": "width",
    "workflow-2023-10-01-preview/ListWorkflowRuns": "runStatues",  # misspelt: runStatuses
    "workflow-2023-10-01-preview/GetWorkflowRun": "x-ms-client-request-id",  # a header
    "arm-purview-2021-12-01/Accounts_Update": "properties",  # the body, taken apart
    "arm-purview-2021-12-01/Operations_List": "subscriptionId",
}  # fmt: skip
_OLD = ["no specification of account has the api-version 2018-12-01-preview"]
MISFITS = {
    f"account-2019-11-01-preview/Accounts_{name}": _OLD  # an api-version that the account never had
    for name in ("GetAccountProperties", "UpdateAccountProperties", "GetAccessKeys", "RegenerateAccessKey")
}

# What recordings have and the specifications do not: recording -> violations, by why.
_GLOSSARY = "js/catalog/purview_catalog_glossary_test/recording_should"
_NAME, _TIMES = "$.name: is read-only", "'2021-10-12T09:30:00' is not a 'date-time'"
_NO_VERSION = "has no parameter api-version"  # what is served by Atlas itself has dropped it since
_RULE = "$: Additional properties are not allowed ('ruleStatus' was unexpected)"  # it belongs into the properties
_POLLED = "has nothing there"  # an address that the service itself gives, while an operation runs
DIFFERENCES = {
    f"{_GLOSSARY}_create_a_glossary.json[0]": [_NO_VERSION],
    f"{_GLOSSARY}_delete_a_glossary.json[0]": [_NO_VERSION],
    # The import of terms did not come along to the Data Map.
    **{f"{_GLOSSARY}_work_with_lro_helper.json[{it}]": [_POLLED] for it in range(3)},
    # Names, and the id of a filter, were sent and ignored; the name is in the path.
    "net-transcribed/ClassificationRuleOperations.json[0]": [_NAME, _RULE],
    "net-transcribed/ClassificationRuleOperations.json[1]": [_NAME, _RULE],
    "net-transcribed/DataSourceOperations.json[0]": [_NAME],
    "net-transcribed/FilterOperations.json[0]": ["$.id: is read-only", _NAME],
    "net-transcribed/ScanOperations.json[0]": [_NAME],
    "net-transcribed/ScanRulesOperations.json[0]": [_NAME],
    "net-transcribed/ScanRulesOperations.json[1]": [_NAME],
    # The service reads `baseUrl` without case.
    "net-transcribed/KeyVaultReferenceOperations.json[0]": [
        _NAME,
        "$.properties: Additional properties are not allowed ('baseurl' was unexpected)",
    ],
    # A start is in the trigger's own time zone, which the service spells without a capital.
    "net-transcribed/ScanTriggerOperations.json[0]": [
        _NAME,
        f"$.properties.recurrence.startTime: {_TIMES}",
        "$.properties.recurrence: Additional properties are not allowed ('timezone' was unexpected)",
        f"201 $.properties.recurrence.startTime: {_TIMES}",
    ],
    "net-transcribed/ScanTriggerOperations.json[1]": [f"200 $.properties.recurrence.startTime: {_TIMES}"],
    **{f"azcli/test_purview_account.yaml[{it}]": [_POLLED] for it in (9, 10, *range(16, 22))},
    **{f"azcli/test_purview_default_account.yaml[{it}]": [_POLLED] for it in range(12, 18)},
}  # fmt: skip

# Places whose names are the caller's: no misspelling can be told there.
FREE = {
    "datamap-2023-09-01/Entity_PartialUpdateByUniqueAttributes": r"entity\.(attributes|relationshipAttributes)\.\w+",
    "datamap-2023-09-01/Glossary_PartialUpdate": r"longDescription",
    "datamap-2023-09-01/Glossary_PartialUpdateCategory": r"longDescription",
    "datamap-2023-09-01/Glossary_PartialUpdateTerm": r"longDescription",
    "datamap-2023-09-01/Relationship_Update": r"attributes\.\w+",
    "datamap-2023-09-01/Type_BulkUpdate": r"entityDefs\.\*\.attributeDefs\.\*\.constraints\.\*\.params\.attribute",
    "workflow-2023-10-01-preview/CreateOrReplaceWorkflow": r"actionDag\..*",
}
