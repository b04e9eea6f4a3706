import inspect

import sovereignmesh as sm

# The public names. Adding one is a decision; taking one away breaks somebody.
PUBLIC = {
    "AccessError",
    "AccessList",
    "AccessRecord",
    "Applied",
    "Audit",
    "Azure",
    "AzureError",
    "CatalogPlan",
    "CheckResult",
    "CheckpointError",
    "Classification",
    "Cloud",
    "ContractChange",
    "ContractError",
    "ContractResult",
    "ContractViolation",
    "Coverage",
    "DataContract",
    "DataContractValidator",
    "DataContractViolation",
    "DataQualityViolation",
    "Export",
    "Finding",
    "FrameError",
    "Gap",
    "Imported",
    "Inventory",
    "InventoryError",
    "Mesh",
    "MeshError",
    "Outcome",
    "Plan",
    "PlanError",
    "Problem",
    "Projection",
    "Purview",
    "PurviewAccountPlan",
    "PurviewPlan",
    "PurviewStatus",
    "Quality",
    "RecordError",
    "ReportError",
    "Scan",
    "ScanRun",
    "ScanRuns",
    "Source",
    "SovereignMeshError",
    "UnifiedPlan",
    "apply_catalog",
    "apply_purview",
    "apply_purview_account",
    "apply_unified",
    "audit_azure",
    "audit_catalog",
    "audit_inventory",
    "cancel_scan",
    "check_contract",
    "classify_columns",
    "connect",
    "connect_purview",
    "connect_sql",
    "decide_access",
    "diff_contracts",
    "export_odcs",
    "export_odps",
    "export_purview",
    "import_odcs",
    "import_odps",
    "list_access",
    "load_mesh",
    "measure_quality",
    "open_sandbox",
    "plan_catalog",
    "plan_purview",
    "plan_purview_account",
    "plan_unified",
    "project_contract",
    "purview_status",
    "request_access",
    "run_scan",
    "run_scans",
    "scan_history",
    "sources",
    "validate",
    "watch_scans",
    "write_report",
}


def test_the_public_names_are_these():
    assert set(sm.__all__) == PUBLIC


def test_each_public_name_says_what_it_is():
    for name in PUBLIC:
        thing = getattr(sm, name)
        assert inspect.getdoc(thing), name
        assert name in dir(sm)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(sm, "audit_everything")


def test_the_exception_tree_is_drawn_in_its_docstring():
    from sovereignmesh import errors

    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, sm.SovereignMeshError)
        assert name in errors.__doc__
