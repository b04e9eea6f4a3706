import inspect

import sovereignmesh as sm

# The public names. Adding one is a decision; taking one away breaks somebody.
PUBLIC = {
    "Applied", "Audit", "Azure", "AzureError", "CheckpointError", "Cloud", "Coverage", "Export", "Finding", "Gap",
    "Inventory", "InventoryError", "Mesh", "MeshError", "Outcome", "Plan", "PlanError", "Problem", "Purview",
    "PurviewPlan", "PurviewStatus", "ReportError", "Scan", "Source", "SovereignMeshError", "UnifiedPlan",
    "apply_purview", "apply_unified", "audit_azure", "audit_inventory", "connect", "connect_purview", "connect_sql",
    "export_purview", "load_mesh", "open_sandbox", "plan_purview", "plan_unified", "purview_status", "sources",
    "validate", "write_report",
}  # fmt: skip


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
