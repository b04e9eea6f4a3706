"""Writes the documents that follow from the code; with --check, fails where one is out of step."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.testing import CliRunner

from sovereignmesh.audit import audit_azure
from sovereignmesh.azure import Pace
from sovereignmesh.catalog import plan_unified
from sovereignmesh.cli import main
from sovereignmesh.facts import ChildRead, CopiesRule, NeverRule, ResourceType, StateRule, child_reads, resource_types
from sovereignmesh.facts.purview import (
    SourceKind,
    all_scan_kinds,
    all_source_kinds,
    credential_kinds,
    scan_properties,
    source_kinds,
)
from sovereignmesh.facts.terraform import planned_types
from sovereignmesh.mesh import load_mesh
from sovereignmesh.mesh.json_schema import schema as mesh_schema
from sovereignmesh.mesh.purview_references import SECRETS
from sovereignmesh.plan import plan_lines
from sovereignmesh.purview import plan_purview, plan_purview_account
from sovereignmesh.result import REASONS, STATES, Finding, printable
from sovereignmesh.result.controls import controls_markdown
from sovereignmesh.sandbox import estate_mesh, open_sandbox
from sovereignmesh.scans import run_scans

ROOT = Path(__file__).parents[1]
FACTS = {  # the checks that facts answer, by the heading of their column
    "customer-managed-key": "key", "key-residency": "vault", "replica-region": "replicas", "backup-region": "backups",
    "processing-region": "processing", "log-region": "logs", "public-access": "public access",
    "private-endpoint": "private endpoint",
}  # fmt: skip
KEYS = ("customer-managed-key", "key-residency")
PLACES = ("replica-region", "backup-region", "processing-region", "log-region")
SUBSCRIPTIONS = "microsoft.resources/subscriptions"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"
# An exception, or that no key is the customer's, says nothing of where the body has the fact.
PROOF = re.compile("compliant|non-compliant|not-applicable (?!documented-exception|no-customer-)")
LONG = 12  # names in a list that a reader takes in
SAMPLE = 60  # lines of the README's sample
SHOWN = (  # kinds of children of which README has an example
    "Microsoft.Sql/servers/failoverGroups",
    "Microsoft.KeyVault/deletedVaults",
    "Microsoft.CognitiveServices/accounts/deployments",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.KeyVault/vaults/keys",
    "Microsoft.Storage/storageAccounts/objectReplicationPolicies",
)


@cache
def verified() -> set[tuple[str, str]]:
    """(type, check) of every answer that a case from a real body proves."""
    found = set()
    for path in sorted((ROOT / "fixtures" / "resources").rglob("*.json")):
        case = json.loads(path.read_text())
        for check, words in case["expect"].items():
            answers = words.values() if isinstance(words, dict) else (words,)
            if any(PROOF.match(answer) for answer in answers):
                found.add((case["resource"]["type"].lower(), check))
    return found


def settled(rule: object) -> bool:
    """Whether the body itself can answer; otherwise only a child resource does."""
    if isinstance(rule, StateRule):
        return rule.absent != "child" or bool(rule.readings)
    copies = rule.copies if isinstance(rule, CopiesRule) else ()
    return not copies or any(copy.absent != "child" or copy.at or copy.of for copy in copies)


class Answer(NamedTuple):
    """What tells a fact of a type: `own`, its body ("" where it does not), and children, each proven or not."""

    own: str
    children: dict[str, bool]

    @property
    def kind(self) -> str:
        """The column of the summary that it counts in, "" for none."""
        if self.own == "verified":
            return self.own
        if any(self.children.values()):
            return "child, verified"
        return self.own if self.own == "unverified" else "child, unverified" if self.children else ""

    @property
    def by_diagnostics(self) -> bool:
        """Whether diagnostic settings alone tell."""
        return self.own not in ("verified", "unverified") and [*self.children] == [DIAGNOSTICS]

    def __str__(self) -> str:
        parts = [self.own] if self.own else []
        for word in ("verified", "unverified"):
            wanted = word == "verified"
            names = [name.rpartition("/")[2] for name, proven in self.children.items() if proven is wanted]
            parts += [f"by its {', '.join(names)}: {word}"] if names else []
        return "; ".join(parts)


def answer_of(row: ResourceType, check: Any) -> Answer:
    key, rule = row.name.lower(), row.rules.get(check)
    reads = [read for read in child_reads().get(key, ()) if check in read.checks]
    word = "verified" if (key, check) in verified() else "unverified"
    if rule is None or (reads and not settled(rule)):
        word = ""
    elif isinstance(rule, NeverRule):
        word = "never"
    elif not settled(rule):
        word = "child, not read"
    return Answer(word, {read.child: (read.child.lower(), check) in verified() for read in reads})


def children_that_are_read() -> set[str]:
    return {read.child.lower() for reads in child_reads().values() for read in reads}


def service_of(name: str) -> str:
    """The service of a type: its provider and its product, `microsoft.sql/servers` of all types below it."""
    return "/".join(name.lower().split("/")[:2])


def services(answers: dict[str, dict[str, Answer]], checks: tuple[str, ...], *, diagnostics: bool = True) -> set[str]:
    """The services of which one of the checks is answered, with or without what diagnostic settings alone tell."""
    return {
        service_of(name)
        for name, row in answers.items()
        if name != SUBSCRIPTIONS
        and any(row[check].kind and (diagnostics or not row[check].by_diagnostics) for check in checks)
    }


KINDS = ("verified", "unverified", "child, verified", "child, unverified")


def coverage_summary(answers: dict[str, dict[str, Answer]]) -> list[str]:
    lines = [
        f"| facts | types | {' | '.join(kind.replace('child', 'by children') for kind in KINDS)} | services |",
        f"|---|---:|{'---:|' * len(KINDS)}---:|",
    ]
    for check, heading in FACTS.items():
        count = Counter(row[check].kind for row in answers.values())
        counts = [count[kind] for kind in KINDS]
        cells = map(str, (sum(counts), *counts, len(services(answers, (check,)))))
        lines.append(f"| {heading} | {' | '.join(cells)} |")
    kinds_of_keys = [{row[check].kind for check in KEYS} - {""} for row in answers.values()]
    proven = sum(not kinds.isdisjoint({"verified", "child, verified"}) for kinds in kinds_of_keys)
    every, fewer = services(answers, PLACES), services(answers, PLACES, diagnostics=False)
    reads = [read for found in child_reads().values() for read in found]
    return [
        *lines,
        "",
        f"- **Keys**: {sum(map(bool, kinds_of_keys))} types (key or vault), {proven} of them with a verified fact.",
        f"- **Replicas, backups, processing or logs**: {len(every)} services of {providers(every)} resource providers;",
        f"  without those of which diagnostic settings alone tell, {len(fewer)} services of {providers(fewer)}.",
        f"- **Children**: {len(children_that_are_read())} types of them, in {len(reads)} requests for",
        f"  {len(child_reads())} types of resources: [children.md](children.md).",
    ]


def providers(found: set[str]) -> int:
    return len({name.partition("/")[0] for name in found})


def terraform_types() -> list[str]:
    """What of the Terraform provider azurerm can be judged before deployment, by how much is translated."""
    every = planned_types()
    alone = sorted(name for name, row in every.items() if row.partial)
    whole = sorted(set(every) - set(alone))
    return [
        "## Types of the Terraform provider azurerm",
        "",
        "A type of azurerm that is not here, and is not known to hold nothing, is a gap in the result. With azapi,",
        "every type can be written, as ARM has it.",
        "",
        f"**{len(whole)} with the properties that are judged**: {', '.join(whole)}.",
        "",
        f"**{len(alone)} with location and tags alone**, all else unknown (`not-translated`): {', '.join(alone)}.",
        "",
    ]


def coverage() -> str:
    rows, none = [], []
    answers: dict[str, dict[str, Answer]] = {}
    read = children_that_are_read()
    for key, row in sorted(resource_types().items()):
        found = {check: answer_of(row, check) for check in FACTS}
        if not any(map(str, found.values())):
            none.append(f"| {row.name} | {'metadata' if row.metadata else row.holds_no_data} |")
            continue
        if key not in read and not row.child_of:
            answers[key] = found
        rules = [rule for check, rule in row.rules.items() if check in FACTS]
        notes = [f"child of {row.child_of}"] if row.child_of else []
        notes += ["built-in in preview"] if any(rule.preview for rule in rules) else []
        notes += [row.note.rstrip(".")] if row.note else []
        notes += sorted({rule.absent_because for rule in rules if isinstance(rule, StateRule) and rule.absent_because})
        notes += sorted({rule.deviates_from for rule in rules if rule.deviates_from})
        rows.append(f"| {row.name} | {' | '.join(map(str, found.values()))} | {'; '.join(notes)} |")
    return "\n".join(
        [
            "# What the fact tables cover",
            "",
            "Written by `scripts/docs.py` from the tables and their cases.",
            "",
            "- **verified**: a case in `fixtures/resources` that starts from a body which the project did not write, a",
            "  public recording or an official example, settles the answer; an exception alone does not.",
            "- **unverified**: from documentation or an Azure Policy built-in alone.",
            "- **by its ...**: children tell, which an audit at full depth reads. Whether the child's own body is",
            "  verified is said with it; that the resource has such children is from documentation. Without them, at",
            "  inventory depth and in an export, the answer is unknown unless the resource's own body has one.",
            "- **never**: the check does not concern the type, which somebody has looked up.",
            "- Every answer is **unverified-live**: none has been confirmed by a run on a live account yet.",
            "",
            "Region and required tags are judged for every type. The summary counts types that stand by themselves:",
            "what children tell counts for the resource that they are read for, once, and `never` does not count. A",
            "service is a provider and a product (`Microsoft.Sql/servers` with all that is below it); what a",
            "subscription lists by itself counts for none.",
            "",
            *coverage_summary(answers),
            "",
            f"| type | {' | '.join(FACTS.values())} | notes |",
            f"|---|{'---|' * len(FACTS)}---|",
            *rows,
            "",
            "## Types for which only region and tags are judged",
            "",
            "| type | why |",
            "|---|---|",
            *none,
            "",
            *terraform_types(),
        ]
    )


def request_of(read: ChildRead) -> str:
    parent = "/subscriptions/{subscription}" if read.path.startswith("/") else "{id}/"
    return f"`GET {parent}{read.path}`" + ("" if read.many else ", as one object")


def links(pages: tuple[str, ...]) -> str:
    return " ".join(f"[{number}]({page})" for number, page in enumerate(pages, 1))


def spared(read: ChildRead) -> str:
    cases = [f"{case.because} (`{case.at.text}`: {', '.join(sorted(case.values))})" for case in read.unless]
    return "; ".join(cases).replace("|", "\\|")


def children() -> str:
    names = {key: row.name for key, row in resource_types().items()}
    common: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    rows = []
    for parent, reads in sorted(child_reads().items()):
        for read in reads:
            if read.child == DIAGNOSTICS and read.path.startswith("providers/") and parent != SUBSCRIPTIONS:
                common.setdefault((f"{request_of(read)}, {read.api_version}", read.source), []).append(names[parent])
                continue
            answers = ", ".join(check for check in FACTS if check in read.checks)
            stands_in = "; its answers stand in for the parent's own" if read.replaces else ""
            rows.append(
                f"| {names[parent]} | {read.child} | {request_of(read)} | {read.api_version} | {answers}{stands_in} | "
                f"{spared(read)} | {read.bucket} | {links(read.source)} |"
            )
    lines = [
        "# What is read at full depth",
        "",
        "Written by `scripts/docs.py` from `facts/children`. Resource Graph lists resources; these are GETs to Azure",
        "Resource Manager, for each resource of the type. `{id}` is the resource's id; `{location}` its region, or,",
        "for a subscription, each region that the provider names (`GET {id}/providers/NAMESPACE`, 2021-04-01), since",
        "backups can lie where nothing else is left; `{group}` its resource group; `{key}` each key of",
        "the vault that a resource refers to. What answers none of the checks that are asked is not read. All draw on",
        "Azure Resource Manager's quota for the subscription; `quota` names another one that a request draws on too.",
        "",
        "| resource | child | request | api-version | answers | not asked where | quota | source |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "## Diagnostic settings",
        "",
        "They answer log-region.",
        "",
    ]
    for (request, source), types in common.items():
        lines += [f"{request} ({links(source)}), of {len(types)} types:", "", *(f"- {name}" for name in types), ""]
    return "\n".join(lines)


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
        name = schema["$ref"].rsplit("/", 1)[-1].removesuffix("Wish")
        return f"[{name}](#{name.lower()})"
    if schema.get("enum"):
        return ", ".join(f"`{word}`" for word in schema["enum"]) if len(schema["enum"]) < LONG else "a known name"
    if "anyOf" in schema or "oneOf" in schema:
        choices = schema.get("anyOf") or schema["oneOf"]
        kinds = [wanted(kind) for kind in choices if kind.get("type") != "null"]
        return "a known name" if "a known name" in kinds else " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {wanted(schema['items'])}"
    if "const" in schema:
        return f"`{schema['const']}`"
    return {"boolean": "true or false", "object": "mapping"}.get(schema["type"], schema["type"])


def mesh() -> str:
    lines = [
        "# The mesh's documents",
        "",
        "Written by `scripts/docs.py` from the schema. A mesh is any number of YAML files; the top-level key says what",
        "a document is: `governancePolicies` (one), `dataProduct`, `domain`, `directory`, `purview` (one). Keys in",
        "bold are required. Regions may be spelled as anywhere in Azure (`West Europe`, `westeurope`).",
        "",
        "What binds what: a resource, its processing and its key, by the `storageLocations` of its product;",
        "replicas and backups, by those and `replicaLocations`; copies that cannot be switched off, and logs, by the",
        "policy's `allowedRegions`, which a product does not narrow. Without such lists, the area.",
        "",
    ]
    definitions = mesh_schema()["$defs"]
    first = ("GovernancePolicies", "DataProduct", "Domain", "Directory", "PurviewAccountWish")
    for name in (*first, *(name for name in definitions if name not in first)):
        definition = definitions[name]
        lines += [
            f"## {definition['title']}",
            "",
            definition["description"].replace("\n", " "),
            "",
            "| key | value | |",
            "|---|---|---|",
        ]
        named = definition.get("properties") or {"NAME": definition["additionalProperties"]}
        for key, schema in named.items():
            bold = f"**{key}**" if key in definition.get("required", ()) else key
            default = schema.get("default")
            usual = f" (default `{str(default).lower() if isinstance(default, bool) else default}`)"
            usual = usual if isinstance(default, (bool, str)) else ""
            lines.append(f"| {bold} | {wanted(schema)}{usual} | {schema.get('description', '')} |")
        lines.append("")
    return "\n".join(lines)


def purview() -> str:
    """The page on what a `purview` document may name, from the table of Purview's facts."""
    strange = sorted(all_source_kinds() - source_kinds().keys() - {"None"})  # a kind of the API that is none
    scans = sorted(all_scan_kinds() - scan_properties().keys())
    return "\n".join(
        [
            "# What a `purview` document may name",
            "",
            "Written by `scripts/docs.py` from the table of Purview's facts, whose names are those of Microsoft's",
            "specification 2023-09-01. None has been confirmed by a run on a live account yet.",
            "",
            "## Kinds of sources",
            "",
            "`properties` in bold identify the source: with a `resource` they follow from it. A source that is a",
            "resource of Azure also has subscriptionId, resourceGroup, location, resourceName, resourceId and",
            "dataUseGovernance. A scan without a `kind` is the first one, with its properties in brackets; without a",
            "`ruleset`, and where the policy has no rules, it takes the ruleset of the system. Scans that want a",
            "password of their own cannot be written: take one with a credential. `types` are what `discover` takes,",
            "beside the names of the kinds that have some.",
            "",
            "Where it says none, scans are sent without a ruleset unless one is named. No page of Microsoft's says",
            "which kinds these are: it follows from a list of the system's rulesets, and from examples of scans.",
            "",
            "| kind | properties | scans | ruleset | types |",
            "|---|---|---|---|---|",
            *(source_row(kind) for kind in source_kinds().values()),
            "",
            f"Without a model, so that their scans want a `kind` and all their `properties`: {', '.join(strange)}.",
            f"Kinds of scans without one: {', '.join(scans)}.",
            "",
            "## Kinds of credentials",
            "",
            "A secret is the name that it has in the key vault, never its value.",
            "",
            "| kind | keys | of these, secrets |",
            "|---|---|---|",
            *(
                f"| {name} | {', '.join(kind.fields)} | {', '.join(kind.secrets) or 'none'} |"
                for name, kind in credential_kinds().items()
            ),
            "",
        ]
    )


def source_row(kind: SourceKind) -> str:
    names = [f"**{name}**" if name in kind.endpoint else name for name in kind.properties]
    first = [kind.default_scan, *(scan for scan in kind.scans if scan != kind.default_scan)]
    told = [f"{scan}{in_brackets(kind.scans[scan])}" for scan in first if not SECRETS & set(kind.scans[scan])]
    types = ", ".join(kind.resource_types) or "none"
    return f"| {kind.kind} | {', '.join(names)} | {'; '.join(told)} | {kind.ruleset or 'none'} | {types} |"


def in_brackets(names: tuple[str, ...]) -> str:
    return f" ({', '.join(names)})" if names else ""


def commands() -> str:
    lines = ["# Commands", "", "Written by `scripts/docs.py` from the commands' own help.", ""]
    with click.Context(main, info_name="sovereignmesh", terminal_width=100, **main.context_settings) as context:
        lines += ["## sovereignmesh", "", "```", main.get_help(context), "```", ""]
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            assert command is not None
            lines += command_help(name, command, context)
    return "\n".join(lines)


def command_help(name: str, command: click.Command, above: click.Context) -> list[str]:
    """The help of a command, and of those that it is a group of."""
    with click.Context(command, info_name=name, parent=above, terminal_width=100) as context:
        title = context.command_path.removeprefix("sovereignmesh ")
        lines = [f"## {title}", "", "```", command.get_help(context), "```", ""]
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                lines += command_help(inner, command.commands[inner], context)
    return lines


def printed() -> str:
    """The first lines of what the audit of the sample estate prints now."""
    shown = subprocess.run(
        [ROOT / ".venv" / "bin" / "sovereignmesh", "audit", "--sandbox"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80", "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert shown.returncode == 3, shown.stderr
    output = "\n".join(line.rstrip() for line in shown.stdout.splitlines()[:SAMPLE])
    return f"```\n{printable_lines(output)}\n...\n```"


def only_in_depth() -> str:
    """What full depth finds in the sample estate and a list of resources does not: the first of each kind of child."""
    mesh = load_mesh(ROOT / "fixtures" / "mesh" / "contoso")
    found: dict[str, dict[str, Finding]] = {}
    for depth in ("inventory", "full"):
        with open_sandbox("contoso") as azure:
            audit = audit_azure(azure, mesh, depth=depth)
        found[depth] = {one.id: one for one in audit.findings if one.state != "exempt"}
    new = [one for key, one in found["full"].items() if key not in found["inventory"] and one.state == "non-compliant"]
    unknown = [one for one in found["full"].values() if one.state == "unknown"]
    gone = [
        one
        for one in found["inventory"].values()
        if one.state == "unknown"
        and not any(still.check == one.check and still.resource_id.startswith(one.resource_id) for still in unknown)
    ]
    first: dict[str, Finding] = {}
    for one in sorted(new, key=lambda one: (one.severity != "high", one.check, one.resource_id)):
        first.setdefault(one.resource_type, one)
    shown = [first[name] for name in SHOWN if name in first]
    rows = [
        f"| {one.check} | {one.resource_type.partition('.')[2]} | `{printable(one.path)}` | "
        f"{printable(one.subject or one.reason)}"
        f"{f': {printable(one.actual)}' if one.actual not in one.subject else ''} |"
        for one in shown
    ]
    return "\n".join(
        [
            f"In the sample estate that is {len(new)} failures which the list of resources does not show, and an",
            f"answer to {len(gone)} questions that the list leaves unknown. Some of the failures:",
            "",
            "| check | child | | found |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def planned() -> str:
    """The plan of the seed's estate, as the command prints it."""
    with open_sandbox("seed") as azure:
        lines = plan_lines(plan_purview(azure, load_mesh(estate_mesh("seed"))))
        text = "\n".join(line.text for line in lines if not line.colour or line.colour == "green")
    return f"```\n{printable_lines(re.sub('sha256:[0-9a-f]+', 'sha256:...', text))}\n```"


def account_planned() -> str:
    """The plan of the seed's account, where it is not there, as the command prints it."""
    mesh = load_mesh(estate_mesh("seed"))
    with open_sandbox("seed") as azure:
        azure.send("DELETE", plan_purview_account(azure, mesh).target, "2021-07-01")
        text = "\n".join(line.text for line in plan_lines(plan_purview_account(azure, mesh)))
    return f"```\n{printable_lines(re.sub('sha256:[0-9a-f]+', 'sha256:...', text))}\n```"


def ran() -> str:
    """How the scans of the sample estate run, as the command prints it but for times and ids."""
    with open_sandbox("contoso", pace=Pace(sleep=lambda _: None)) as azure:
        found = run_scans(azure, "pview-customer-prod", progress=None)
    names, rows = found.table
    kept = [at for at, name in enumerate(names) if name not in ("Started (UTC)", "Elapsed", "Run")]
    cells = [[row[at] for at in kept] for row in (names, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    text = "\n".join([*lines, *found.failure_lines])
    return f"```\n{printable_lines(text)}\n```"


def published() -> str:
    """The plan of the seed's estate for the Unified Catalog, as it is printed."""
    with open_sandbox("seed-unified") as azure:
        text = "\n".join(line.text for line in plan_lines(plan_unified(azure, load_mesh(estate_mesh("seed-unified")))))
    return f"```\n{printable_lines(re.sub('sha256:[0-9a-f]+', 'sha256:...', text))}\n```"


def checked() -> str:
    """What README's contract says of README's data."""
    text = (ROOT / "README.md").read_text()
    (product,) = re.findall(r"```yaml\n(dataProduct:.*?)```", text, re.DOTALL)
    (data,) = re.findall(r"printf '(.*?)' > customers.csv", text)
    with tempfile.TemporaryDirectory() as folder:
        mesh, file = Path(folder) / "product.yaml", Path(folder) / "customers.csv"
        mesh.write_text(product)
        file.write_text(data.replace("\\n", "\n"))
        commands = (["contract", "check"], ["quality"])
        ran = [CliRunner().invoke(main, [*words, str(file), "--mesh", str(mesh)]) for words in commands]
        said = [result.stdout or result.stderr for result in ran]
    lines = [line.rstrip() for text in said for line in (*text.splitlines(), "")]
    return "\n".join(["```", *lines[:-1], "```"])


def readme() -> str:
    """README with its samples as the audit of the sample estate prints them now."""
    text = (ROOT / "README.md").read_text()
    samples = (
        ("sample", printed), ("depth", only_in_depth), ("purview", planned), ("account", account_planned),
        ("scans", ran), ("unified", published), ("contract", checked),
    )  # fmt: skip
    for name, write in samples:
        block = f"<!-- {name} -->\n{write()}\n<!-- /{name} -->"
        text = re.sub(rf"<!-- {name} -->.*<!-- /{name} -->", lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


DOCUMENTS = {
    "docs/coverage.md": coverage,
    "docs/children.md": children,
    "docs/controls.md": controls_markdown,
    "docs/reasons.md": reasons,
    "docs/commands.md": commands,
    "docs/mesh.md": mesh,
    "docs/purview.md": purview,
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
