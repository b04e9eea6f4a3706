"""The summary for a pull request: small, in order, and nothing in it that a name could do."""

import dataclasses
import datetime as dt
import io
import re

import pytest

from sovereignmesh.audit import audit_inventory
from sovereignmesh.mesh import load_mesh
from sovereignmesh.report import write_markdown, write_report
from sovereignmesh.report.markdown import _cell, _code
from sovereignmesh.result import Coverage, Finding, FindingStore, Gap, Scope, WaiverUse, finding_id

HOSTILE = (
    "=cmd|'/c calc'!A1 \x1b[2J\x9b31m <script>alert(1)</script> <img src=x onerror=y> [a](https://evil) ![b](c) "
    "@contoso/admins #1 contoso#2 www.contoso.com https://contoso.com _x_ *y* ~z~ # h \u202egnp.exe \ud800 & | `x` ``"
    "\r\n\r\n# heading\n| a | b |"
)
NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def text_of(audit):
    stream = io.StringIO()
    write_markdown(audit, stream)
    return stream.getvalue()


def outside_spans(text):
    return SPAN.sub("", text)


@pytest.fixture(scope="module")
def mesh(fixtures):
    return load_mesh(fixtures / "mesh" / "cases")


@pytest.fixture(scope="module")
def hostile(mesh):
    rows = [
        {
            "id": f"/subscriptions/{HOSTILE}/resourceGroups/{HOSTILE}/providers/x/y/{number}{HOSTILE}",
            "name": f"{HOSTILE}{number}",
            "type": "Microsoft.Storage/storageAccounts",
            "location": HOSTILE if number % 2 else "eastus",
            "sku": {"name": HOSTILE},
            "properties": {"publicNetworkAccess": HOSTILE},
        }
        for number in range(120)
    ]
    audit = audit_inventory([*rows, {"id": HOSTILE}], mesh, now=lambda: NOW)
    waivers = tuple(
        WaiverUse(HOSTILE, "region", HOSTILE, "2026-12-31", state, 1)
        for state in ("in force", "expired", "matches nothing", "not judged")
    )
    scopes = (Scope("subscription", HOSTILE, HOSTILE, "partial", 1, 2, HOSTILE), *audit.coverage.scopes)
    return dataclasses.replace(
        audit,
        policy=dataclasses.replace(audit.policy, waivers=waivers),
        coverage=dataclasses.replace(audit.coverage, scopes=scopes),
    )


@pytest.mark.parametrize("text", [HOSTILE, "`", "``", "a`", "`a", " a ", "|", "\\", "a\\|b", "\\`", "a" * 500, "\n"])
def test_a_text_stands_in_one_code_span(text):
    for made in (_code(text), _cell(text)):
        assert SPAN.fullmatch(made), made
        assert "\n" not in made
        assert made.isprintable()
    assert not re.search(r"(?<!\\)\|", _cell(text))
    assert len(_code(text)) < 180


def test_an_empty_text_is_nothing():
    assert _code("") == _cell("  ") == ""


def test_nothing_foreign_stands_outside_a_code_span(hostile):
    text = text_of(hostile)
    bare = outside_spans(text)
    for sign in ("@contoso", "<script", "<img", "https://", "www.", "](", "#1", "evil", "onerror"):
        assert sign in text
        assert sign not in bare, sign
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    assert set(re.findall(r"<[^>]*>", bare)) <= {"<br>", "<details>", "</details>", "<summary>", "</summary>"}


def test_every_row_of_a_table_has_its_columns(hostile):
    columns = None
    for line in text_of(hostile).splitlines():
        count = len(re.findall(r"(?<!\\)\|", line))
        if line.startswith("|"):
            columns = columns or count
            assert count == columns, line
        else:
            assert count == 0, line
            columns = None


def test_what_was_not_read_comes_before_what_was_found(hostile):
    text = text_of(hostile)
    assert text.startswith("## Data sovereignty: not compliant, incomplete\n")
    words = (
        "Not fully read",
        "| gap | what |",
        "| check | comp",
        "findings, the worst of each check\n",
        "unknown\n",
        "### Waivers",
        "<details>",
    )
    places = [text.index(word) for word in words]
    assert places == sorted(places)


def test_it_is_bounded(hostile):
    text = text_of(hostile)
    assert len(text) < 60_000  # a comment on GitHub may have 65,536
    findings = text.partition("| severity |")[2].partition("\n\n")[0].splitlines()[2:]
    assert 10 <= len(findings) <= 50
    assert re.search(r"^and \d+ more, which a .csv or .json report has$", text, re.MULTILINE)


def test_unknowns_are_grouped_by_their_reason(hostile):
    text = text_of(hostile)
    rows = text.partition("| findings | reason |")[2].partition("\n\n")[0].splitlines()[2:]
    counts = [int(row.split("|")[1].strip().replace(",", "")) for row in rows]
    assert sum(counts) == sum(counts_of.get("unknown", 0) for counts_of in hostile.summary.values())
    assert counts == sorted(counts, reverse=True)


def test_waivers_that_need_somebody_come_first(hostile):
    rows = text_of(hostile).partition("### Waivers")[2].strip().partition("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["expired", "matches nothing", "in force"]


def test_the_numbers_are_those_of_the_summary(hostile):
    text = text_of(hostile)
    for check, counts in hostile.summary.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {check} |"))
        cells = [cell.strip() for cell in row.split("|")[3:7]]
        assert cells == [f"{counts[state]:,}" for state in ("non-compliant", "unknown", "exempt", "not-applicable")]


def test_a_full_bar_means_that_all_passed(mesh):
    audit = audit_inventory([], mesh, now=lambda: NOW)
    full = dataclasses.replace(audit, summary={"region": {"compliant": 999, "non-compliant": 1}})
    assert "`█████████░` 99 %" in text_of(full)
    assert "nothing to judge" in text_of(dataclasses.replace(audit, summary={"region": {}}))


def test_nothing_judged_is_not_called_compliant(mesh):
    audit = audit_inventory([], mesh, now=lambda: NOW)
    text = text_of(audit)
    assert text.startswith("## Data sovereignty: nothing judged, incomplete\n")
    assert "###" not in text


def test_a_clean_audit_is_short(mesh):
    audit = audit_inventory([], mesh, now=lambda: NOW)
    coverage = Coverage(5, 0, (), (), ())
    text = text_of(dataclasses.replace(audit, coverage=coverage))
    assert text.startswith("## Data sovereignty: compliant, complete\n")
    assert "gap" not in text
    assert "Not fully read" not in text


def test_many_gaps_are_counted(mesh):
    audit = audit_inventory([], mesh, now=lambda: NOW)
    gaps = tuple(Gap("rows", ("region",), f"row {number}", "a row without an id") for number in range(33))
    assert "and 23 more" in text_of(dataclasses.replace(audit, coverage=dataclasses.replace(audit.coverage, gaps=gaps)))


def test_an_advisory_finding_says_so(hostile):
    store = FindingStore()
    found = next(iter(hostile.findings))
    store.add(dataclasses.replace(found, id=finding_id("region", "x", ""), state="non-compliant", advisory=True))
    text = text_of(dataclasses.replace(hostile, findings=store))
    assert f"| {found.severity}, advisory |" in text
    assert isinstance(found, Finding)


def test_the_suffix_writes_it(hostile, tmp_path):
    write_report(hostile, tmp_path / "summary.md")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == text_of(hostile)
