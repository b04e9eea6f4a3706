"""Writes the documents that follow from the code; with --check, fails where one is out of step."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from sovereignmesh.cli import main
from sovereignmesh.facts import CopiesRule, StateRule, resource_types
from sovereignmesh.mesh import schema as mesh_schema
from sovereignmesh.result import REASONS, STATES, printable

ROOT = Path(__file__).parents[1]
FACT_CHECKS = (
    "customer-managed-key", "key-residency", "replica-region", "backup-region", "public-access", "private-endpoint",
)  # fmt: skip
LONG = 12  # names in a list that a reader takes in
HEADINGS = ("key", "vault", "replicas", "backups", "public access", "private endpoint")


def verified() -> set[tuple[str, str]]:
    """(type, check) of every answer that a case from a real body proves."""
    found = set()
    for path in sorted((ROOT / "fixtures" / "resources").rglob("*.json")):
        case = json.loads(path.read_text())
        for check, words in case["expect"].items():
            answers = words.values() if isinstance(words, dict) else (words,)
            if any(re.match("compliant|non-compliant|not-applicable", answer) for answer in answers):
                found.add((case["resource"]["type"].lower(), check))
    return found


def settled(rule: object) -> bool:
    """Whether the body itself can answer; otherwise only a child resource does."""
    if isinstance(rule, StateRule):
        return rule.absent != "child" or bool(rule.readings)
    return not isinstance(rule, CopiesRule) or any(copy.absent != "child" or copy.at for copy in rule.copies)


def coverage() -> str:
    proven = verified()
    rows, none = [], []
    totals = dict.fromkeys(FACT_CHECKS, 0)
    proofs = dict.fromkeys(FACT_CHECKS, 0)
    for key, row in sorted(resource_types().items()):
        checks = [check for check in FACT_CHECKS if check in row.rules]
        if not checks:
            none.append(f"| {row.name} | {'metadata' if row.metadata else row.holds_no_data} |")
            continue
        cells = []
        for check in FACT_CHECKS:
            if check not in row.rules:
                cells.append("")
                continue
            totals[check] += 1
            proofs[check] += (key, check) in proven
            word = "verified" if (key, check) in proven else "unverified"
            cells.append(word if settled(row.rules[check]) else f"child, {word}")
        notes = [f"child of {row.child_of}"] if row.child_of else []
        notes += ["built-in in preview"] if any(rule.preview for rule in row.rules.values()) else []
        notes += [row.note.rstrip(".")] if row.note else []
        notes += sorted({rule.absent_because for rule in row.rules.values() if getattr(rule, "absent_because", "")})
        notes += sorted({rule.deviates_from for rule in row.rules.values() if rule.deviates_from})
        rows.append(f"| {row.name} | {' | '.join(cells)} | {'; '.join(notes)} |")
    headings = dict(zip(FACT_CHECKS, HEADINGS, strict=True))
    summary = [f"| {headings[check]} | {total} | {proofs[check]} |" for check, total in totals.items()]
    return "\n".join(
        [
            "# What the fact tables cover",
            "",
            "Written by `scripts/docs.py` from the tables and their cases.",
            "",
            "- **verified**: a case in `fixtures/resources` that starts from a body which the project did not write, a",
            "  public recording or an official example, settles the answer.",
            "- **unverified**: from documentation or an Azure Policy built-in alone.",
            "- **child**: only a child resource tells, which an inventory does not list: the answer is unknown.",
            "- Every answer is **unverified-live**: none has been confirmed by a run on a live account yet.",
            "",
            "Region and required tags are judged for every type.",
            "",
            "| facts | types | verified |",
            "|---|---:|---:|",
            *summary,
            "",
            f"| type | {' | '.join(HEADINGS)} | notes |",
            f"|---|{'---|' * len(HEADINGS)}---|",
            *rows,
            "",
            "## Types for which only region and tags are judged",
            "",
            "| type | why |",
            "|---|---|",
            *none,
            "",
        ]
    )


def reasons() -> str:
    lines = [
        "# Reasons",
        "",
        "Written by `scripts/docs.py`. `reason` in a finding is one of these codes; no other.",
        "",
    ]
    for state in STATES:
        found = [(code, reason) for code, reason in REASONS.items() if reason.state == state]
        if found:
            lines += [f"## {state}", "", "| reason | why | what to do |", "|---|---|---|"]
            lines += [f"| `{code}` | {reason.why} | {reason.remedy} |" for code, reason in found] + [""]
    return "\n".join(lines)


def wanted(schema: Any) -> str:
    """What a value must be, in words; a long list of names is not spelled out."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if schema.get("enum"):
        return ", ".join(f"`{word}`" for word in schema["enum"]) if len(schema["enum"]) < LONG else "a known name"
    if "anyOf" in schema:
        kinds = [wanted(kind) for kind in schema["anyOf"] if kind.get("type") != "null"]
        return "a known name" if "a known name" in kinds else " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {wanted(schema['items'])}"
    return {"boolean": "true or false", "object": "mapping"}.get(schema["type"], schema["type"])


def mesh() -> str:
    lines = [
        "# The mesh's documents",
        "",
        "Written by `scripts/docs.py` from the schema. A mesh is any number of YAML files; the top-level key says what",
        "a document is: `governancePolicies` (one), `dataProduct`, `domain`. Keys in bold are required. Regions may be",
        "spelled as anywhere in Azure (`West Europe`, `westeurope`).",
        "",
    ]
    definitions = mesh_schema()["$defs"]
    first = ("GovernancePolicies", "DataProduct", "Domain")
    for name in (*first, *(name for name in definitions if name not in first)):
        definition = definitions[name]
        lines += [
            f"## {name}",
            "",
            definition["description"].replace("\n", " "),
            "",
            "| key | value | |",
            "|---|---|---|",
        ]
        for key, schema in definition["properties"].items():
            bold = f"**{key}**" if key in definition.get("required", ()) else key
            default = schema.get("default")
            usual = f" (default `{str(default).lower()}`)" if isinstance(default, (bool, str)) else ""
            lines.append(f"| {bold} | {wanted(schema)}{usual} | {schema.get('description', '')} |")
        lines.append("")
    return "\n".join(lines)


def commands() -> str:
    lines = ["# Commands", "", "Written by `scripts/docs.py` from the commands' own help.", ""]
    with click.Context(main, info_name="sovereignmesh", terminal_width=100, **main.context_settings) as context:
        lines += ["## sovereignmesh", "", "```", main.get_help(context), "```", ""]
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            assert command is not None
            with click.Context(command, info_name=name, parent=context, terminal_width=100) as inner:
                lines += [f"## {name}", "", "```", command.get_help(inner), "```", ""]
    return "\n".join(lines)


def readme() -> str:
    """README with its sample output as the audit of the sample estate prints it now."""
    text = (ROOT / "README.md").read_text()
    shown = subprocess.run(
        [ROOT / ".venv" / "bin" / "sovereignmesh", "audit", "--sandbox"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80", "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert shown.returncode == 3, shown.stderr
    output = "\n".join(line.rstrip() for line in shown.stdout.splitlines()[:60])
    block = f"<!-- sample -->\n```\n{printable_lines(output)}\n...\n```\n<!-- /sample -->"
    return re.sub(r"<!-- sample -->.*<!-- /sample -->", lambda _: block, text, flags=re.DOTALL)


def printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


DOCUMENTS = {
    "docs/coverage.md": coverage,
    "docs/reasons.md": reasons,
    "docs/commands.md": commands,
    "docs/mesh.md": mesh,
    "README.md": readme,
}

if __name__ == "__main__":
    check = "--check" in sys.argv[1:]
    stale = []
    for name, write in DOCUMENTS.items():
        path, text = ROOT / name, write()
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    if check and stale:
        sys.exit(f"out of step: {', '.join(stale)}; run scripts/docs.py in the environment")
    print(", ".join(stale) or "nothing", "was out of step")
