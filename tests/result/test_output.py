import csv
import io
import json
import re

import jsonschema
import pandas as pd
import pytest
from rich.console import Console

from sovereignmesh.audit import audit_inventory
from sovereignmesh.errors import ReportError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.report import SUFFIXES, write_csv, write_json, write_report
from sovereignmesh.result import CHECKS, REASONS, SEVERITIES, STATES, printable
from sovereignmesh.result.table import print_audit

HOSTILE = "=cmd|'/c calc'!A1 \x1b[2J\x9b31m <script>alert(1)</script> [bold]x[/] \u202egnp.exe \ud800 & | `x`"


@pytest.fixture(scope="module")
def mesh(fixtures):
    return load_mesh(fixtures / "mesh" / "cases")


@pytest.fixture(scope="module")
def hostile(mesh):
    rows = [
        {
            "id": f"/subscriptions/{HOSTILE}/resourceGroups/{HOSTILE}/providers/x/y/{number}",
            "name": HOSTILE,
            "type": "Microsoft.Storage/storageAccounts",
            "location": HOSTILE,
            "sku": {"name": HOSTILE},
            "tags": {"Domain": HOSTILE},
            "properties": {"publicNetworkAccess": HOSTILE},
        }
        for number in range(60)
    ]
    return audit_inventory([*rows, {"id": HOSTILE}], mesh)


@pytest.fixture(scope="module")
def schema():
    from importlib.resources import files

    return json.loads(files("sovereignmesh.result").joinpath("audit.schema.json").read_text())


UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")


def test_json_is_the_schema_s_and_safe_on_a_terminal(hostile, schema):
    stream = io.StringIO()
    write_json(hostile, stream)
    text = stream.getvalue()
    assert text.isascii()
    assert not UNSAFE.search(text)
    jsonschema.validate(json.loads(text), schema)
    assert json.loads(text) == json.loads(json.dumps(hostile.to_dict()))


def test_csv_holds_no_formula_and_no_control(hostile):
    stream = io.StringIO()
    write_csv(hostile, stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert len(rows) == len(hostile.findings)
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@"))
            assert not UNSAFE.search(cell)
    assert rows[0]["resource_name"].startswith("'=cmd")


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("colour", [False, True])
def test_the_table_fits_and_holds_no_control(hostile, width, colour):
    stream = io.StringIO()
    print_audit(hostile, Console(file=stream, width=width, force_terminal=colour, highlight=False))
    text = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()) if colour else stream.getvalue()
    assert not UNSAFE.search(text)
    assert all(len(line) <= width for line in text.splitlines())
    assert "[bold]x[/]" in text or width == 40
    assert "INCOMPLETE" in text


def test_html_is_escaped(hostile):
    html = hostile._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert not UNSAFE.search(html)


def test_the_notebook_table(hostile):
    frame = hostile.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == len(hostile.findings)
    assert set(frame["check"]) <= set(CHECKS)


def test_no_colour_where_the_output_is_no_terminal_or_nobody_wants_it(hostile, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    for terminal in (None, True):
        stream = io.StringIO()
        print_audit(hostile, Console(file=stream, force_terminal=terminal, highlight=False))
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", stream.getvalue())


def test_the_schema_knows_every_word(schema):
    definitions = schema["$defs"]
    assert definitions["check"]["enum"] == list(CHECKS)
    properties = definitions["finding"]["properties"]
    assert properties["state"]["enum"] == list(STATES)
    assert properties["severity"]["enum"] == list(SEVERITIES)
    assert properties["reason"]["enum"] == ["", *REASONS]


def test_a_report_is_written_whole_or_not_at_all(hostile, tmp_path):
    for suffix in SUFFIXES:
        write_report(hostile, tmp_path / f"findings{suffix}")
    assert {path.name for path in tmp_path.iterdir()} == {f"findings{suffix}" for suffix in SUFFIXES}
    with pytest.raises(ReportError, match="cannot be written"):
        write_report(hostile, tmp_path / "missing" / "findings.csv")
    with pytest.raises(ValueError, match="by suffix"):
        write_report(hostile, tmp_path / "findings.xlsx")


def test_printable_writes_out_what_is_unsafe():
    assert printable("naïve — ok") == "naïve — ok"
    assert printable("\x1b\u202e\ud800") == r"\x1b\u202e\ud800"


def test_every_failure_says_why_and_how_to_mend_it():
    for code, reason in REASONS.items():
        assert reason.why.endswith("."), code
        assert (reason.remedy != "") == (reason.state in ("non-compliant", "unknown")), code
        assert (reason.severity is not None) == (reason.state == "non-compliant"), code
