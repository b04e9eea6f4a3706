"""The controls: each check has some, each row says why, and every output names them."""

import csv
import dataclasses
import io
import json
import re
from importlib.resources import files

import jsonschema
import pytest
from rich.console import Console

from sovereignmesh.audit import audit_inventory
from sovereignmesh.mesh import load_mesh
from sovereignmesh.report import write_csv, write_json, write_markdown
from sovereignmesh.result import CHECKS
from sovereignmesh.result.azure_policy import OUTCOMES, AzurePolicy, ExemptionUse, PolicyAssignment, PolicyDifference
from sovereignmesh.result.controls import (
    CONTROLS,
    FRAMEWORKS,
    controls_by_check,
    controls_in_brief,
    controls_markdown,
    controls_of,
)
from sovereignmesh.result.table import print_audit

HOSTILE = "=x \x1b[2J <script>alert(1)</script> [bold]x[/] \u202e \ud800 | `x` @contoso/all"
# How each framework writes the ids of what it asks for.
IDS = {
    "GDPR": r"Art\. (30|32|44)", "NIS2": r"Art\. 21\(2\)\([a-j]\)", "DORA": r"Art\. \d+(\(\d\)\([a-i]\))?",
    "DORA RTS": r"Art\. \d+", "ISO 27001": r"A\.(5\.([1-9]|[12]\d|3[0-7])|8\.([1-9]|[12]\d|3[0-4]))",
    "C5": r"(AM|COS|CRY|OPS|PSS)-\d\d", "MCSB": r"(AM|DP|LT|NS)-\d",
}  # fmt: skip


@pytest.fixture(scope="module")
def audit(fixtures):
    rows = [
        {
            "id": f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st{number}",
            "type": "Microsoft.Storage/storageAccounts",
            "location": "eastus",
            "properties": {"publicNetworkAccess": "Enabled"},
        }
        for number in range(3)
    ]
    return audit_inventory(rows, load_mesh(fixtures / "mesh" / "cases"))


@pytest.fixture(scope="module")
def compared(audit):
    differences = tuple(
        PolicyDifference(outcome, f"/s/{HOSTILE}", "public-access", HOSTILE, "compliant", (HOSTILE,), HOSTILE)
        for outcome in list(OUTCOMES) * 4
    )
    uses = tuple(
        ExemptionUse(HOSTILE, HOSTILE, HOSTILE, "", state, 1, HOSTILE)
        for state in ("in force", "expired", "matches nothing", "not understood", "not honoured")
    )
    view = AzurePolicy(
        compared=True, honoured=True, states=9, oldest="2026-11-28T05:00:00Z", newest="2026-11-28T06:00:00Z",
        assignments=(PolicyAssignment(HOSTILE, HOSTILE, 9),), outcomes=dict.fromkeys(OUTCOMES, 4), different=99,
        differences=differences, exemptions=uses, unread=(HOSTILE,),
    )  # fmt: skip
    return dataclasses.replace(audit, azure_policy=view)


def test_every_check_is_evidence_for_something():
    for check in CHECKS:
        assert controls_of(check), check
        assert all(check in control.checks for control in controls_of(check))


def test_every_row_has_a_known_framework_an_id_in_its_form_and_a_reason():
    assert len({control.name for control in CONTROLS}) == len(CONTROLS)
    assert {control.framework for control in CONTROLS} == set(FRAMEWORKS)
    for control in CONTROLS:
        assert re.fullmatch(IDS[control.framework.name], control.id), control.name
        assert control.checks
        assert set(control.checks) <= set(CHECKS)
        for because in control.checks.values():
            assert because.endswith("."), control.name
        assert control.title[0].isupper()
    for framework in FRAMEWORKS:
        assert framework.url.startswith("https://")


def test_what_a_framework_says_nothing_of_has_no_row():
    frameworks = {check: {control.framework.name for control in controls_of(check)} for check in CHECKS}
    assert not {"NIS2", "MCSB"} & frameworks["region"]
    assert "GDPR" not in frameworks["required-tags"]


def test_the_page_names_all_of_them():
    page = controls_markdown()
    for control in CONTROLS:
        assert f"| {control.name} | {control.title} |" in page
    for line in page.splitlines():
        assert line.count("|") in (0, 3, 4)
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(CHECKS)


def test_every_output_names_them(audit):
    name = "NIS2 Art. 21(2)(e)"
    (finding,) = [found for found in audit.findings if found.check == "public-access"][:1]
    assert name in finding.controls
    text = io.StringIO()
    write_csv(audit, text)
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert all(name in row["controls"] for row in rows if row["check"] == "public-access")
    assert {row["controls"] != "" for row in rows} == {True}
    head = audit.head()
    assert head["controls"] == controls_by_check(audit.summary)
    assert {"framework", "version", "id", "title", "because", "url"} == set(head["controls"]["region"][0])
    markdown = io.StringIO()
    write_markdown(audit, markdown)
    assert controls_in_brief("public-access") in markdown.getvalue()
    assert name in audit._repr_html_()
    table = io.StringIO()
    print_audit(audit, Console(file=table, width=80, highlight=False))
    assert "NIS2 21(2)(e)" in table.getvalue()
    assert all(len(line) <= 80 for line in table.getvalue().splitlines())


def test_the_json_of_both_is_the_schema_s(audit, compared):
    schema = json.loads(files("sovereignmesh.result").joinpath("audit.schema.json").read_text())
    assert schema["properties"]["azure_policy"]["properties"]["outcomes"]["propertyNames"]["enum"] == list(OUTCOMES)
    for one in (audit, compared):
        text = io.StringIO()
        write_json(one, text)
        jsonschema.validate(json.loads(text.getvalue()), schema)
    assert "azure_policy" not in audit.head()
    assert compared.head()["azure_policy"]["different"] == 99


@pytest.mark.parametrize("width", [40, 80, 200])
def test_azure_policy_s_view_is_shown_and_safe(compared, width):
    text = io.StringIO()
    print_audit(compared, Console(file=text, width=width, highlight=False))
    assert "Azure Policy" in text.getvalue()
    assert all(len(line) <= width for line in text.getvalue().splitlines())
    html = compared._repr_html_()
    assert "<script>" not in html
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text.getvalue() + html)
    assert "understood" in text.getvalue()
    assert "and 91 more" in text.getvalue()


def test_it_does_not_count(audit, compared):
    assert (audit.compliant, audit.complete) == (compared.compliant, compared.complete)
