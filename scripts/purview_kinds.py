"""Writes the named constructors of Purview's sources from the table; with --check, fails where they are out of step."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

from sovereignmesh.facts.purview import SourceKind, scan_properties, source_kinds

ROOT = Path(__file__).parents[1]
MODULE = "src/sovereignmesh/azure/purview/constructors.py"
WIDTH = 120
# The order in which a reader looks for them: the id tells the most.
AZURE = ("resourceId", "resourceGroup", "subscriptionId", "location", "resourceName")
RARE = ("dataUseGovernance",)  # given, where it is, in the API's own words

HEADER = '''\
"""One constructor for each kind of source that Purview's scanning API models, and the names that a body may have.

Keywords are the API's names in Python's spelling; what is empty is left out of the body. `properties` are further ones
in the API's own words. TypeError for a name that the kind does not have.
"""

# Written by scripts/purview_kinds.py from src/sovereignmesh/facts/purview.yaml: change the table, then run the script.
# ruff: noqa: N802
# fmt: off

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.purview.objects import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

'''
HELPERS = """

def _made(kind: str, name: str, collection: str, more: Mapping[str, Any], *values: object) -> Source:
    if strange := sorted(more.keys() - set(SOURCE_PROPERTIES[kind])):
        raise TypeError(f"the kind {kind} has no {strange[0]!r}, but {SOURCE_PROPERTIES[kind]}; Source() takes any")
    written = dict(zip(SOURCE_PROPERTIES[kind], values, strict=False))
    return Source(name, kind, {**{key: value for key, value in written.items() if value}, **more}, collection)
"""


def spelled(name: str) -> str:
    """The API's name as a keyword: `serverEndpoint` is server_endpoint, `roleARN` role_arn."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def wrapped(items: list[str], margin: str, width: int = WIDTH) -> str:
    """The items on as few lines as hold them, none of them broken."""
    whole = [item.replace(" ", "\0") for item in items]
    text = textwrap.fill(
        ", ".join(whole), width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )
    return text.replace("\0", " ")


def filled(before: str, items: list[str], after: str) -> str:
    """On one line where it fits, else with the items on lines of their own between."""
    line = f"{before}{', '.join(items)}{after}"
    return line if len(line) <= WIDTH else f"{before}\n{wrapped(items, '    ')},\n{after}"


def hanging(before: str, items: list[str], after: str) -> str:
    """On one line where it fits, else with the items aligned below the first."""
    margin = " " * len(before)
    return before + wrapped(items, margin, WIDTH - len(after))[len(before) :] + after


def keyword(kind: SourceKind, name: str) -> str:
    if name in kind.numbers:
        return f"{spelled(name)}: int = {kind.port or 0}"
    return f'{spelled(name)}: str = ""'


def constructor(kind: SourceKind) -> str:
    own = [name for name in kind.properties if name not in RARE]
    azure = [*AZURE] if kind.azure_resource else []
    given = ["name: str", "*", 'collection: str = ""', *(keyword(kind, name) for name in (*own, *azure))]
    values = [spelled(name) for name in kind.allowed if name not in RARE]
    return "\n".join(
        [
            filled(f"def {kind.kind}(", [*given, "**properties: Any"], ") -> Source:"),
            f'    """{kind.title}: the source to register, of the kind `{kind.kind}`.',
            "",
            f"    Source: {kind.source[0]}",
            '    """',
            hanging("    return _made(", [f'"{kind.kind}"', "name", "collection", "properties", *values], ")"),
        ]
    )


def common(lists: list[tuple[str, ...]]) -> tuple[str, ...]:
    """What all of the lists have, in order."""
    return tuple(name for name in lists[0] if all(name in each for each in lists))


def mapping(name: str, shared: dict[str, str], entries: dict[str, list[str]]) -> str:
    rows = []
    for key, own in entries.items():
        items = [*(f'"{one}"' for one in own), *([f"*{shared[key]}"] if key in shared else [])]
        rows.append(hanging(f'    "{key}": (', items, ",)," if len(items) == 1 else "),"))
    return "\n".join([f"{name}: Final[Mapping[str, tuple[str, ...]]] = {{", *rows, "}"])


def module() -> str:
    kinds, scans = source_kinds(), scan_properties()
    azure = common([kind.allowed for kind in kinds.values() if kind.azure_resource])
    scan = common([*scans.values()])
    sources = {
        name: [own for own in kind.allowed if not kind.azure_resource or own not in azure]
        for name, kind in kinds.items()
    }
    return "\n".join(
        [
            HEADER
            + filled(
                "__all__ = [", [f'"{name}"' for name in ("SCAN_PROPERTIES", "SOURCE_PROPERTIES", *sorted(kinds))], "]"
            ),
            "",
            filled("_AZURE: Final = (", [f'"{name}"' for name in azure], ")"),
            filled("_SCAN: Final = (", [f'"{name}"' for name in scan], ")"),
            "# What `properties` may have, besides the collection.",
            mapping("SOURCE_PROPERTIES", {name: "_AZURE" for name in kinds if kinds[name].azure_resource}, sources),
            mapping(
                "SCAN_PROPERTIES",
                dict.fromkeys(scans, "_SCAN"),
                {name: [own for own in allowed if own not in scan] for name, allowed in scans.items()},
            ),
            HELPERS,
            *("\n" + constructor(kind) + "\n" for kind in kinds.values()),
        ]
    )


if __name__ == "__main__":
    path, text = ROOT / MODULE, module()
    stale = not path.exists() or path.read_text() != text
    if stale and "--check" in sys.argv[1:]:
        sys.exit(f"out of step: {MODULE}; run scripts/purview_kinds.py in the environment")
    if stale:
        path.write_text(text)
    print(MODULE if stale else "nothing", "was out of step")
