"""What in a Terraform plan refers to what, where the value itself is only known after the deployment.

The plan's part `configuration` lists the names that each expression refers to, the most telling first
(https://developer.hashicorp.com/terraform/internals/json-format#expression-representation). An expression that refers
to one resource, besides what is known already, gets its value from there. Dynamic blocks are not in that part
(https://github.com/hashicorp/terraform/issues/28346), and neither are local values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Change", "References", "Target"]

_KEY: Final = r'(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?'
_STEP: Final = re.compile(rf"module\.([\w-]+)({_KEY})")
_RESOURCE: Final = re.compile(rf"((?:data\.)?[a-z][\w-]*\.[\w-]+)({_KEY})(?:\.(\w+))?(.*)")
_OUTPUT: Final = re.compile(rf"module\.([\w-]+)({_KEY})\.([\w-]+)")
_KNOWN: Final = ("each.key", "count.index", "path.", "terraform.", "self.")
_MARK: Final = re.compile(r"[.\[]")


class Change(NamedTuple):
    """What the plan says of one resource: its address, type, name and module, the values known, and those unknown."""

    address: str
    type: str
    name: str
    module: str
    index: Any
    provider: str
    after: dict[str, Any]
    unknown: Any
    before: Any
    new: bool


class Target(NamedTuple):
    """The resource that a reference means, and which of its attributes, "" for the whole."""

    change: Change
    attribute: str


class References:
    """Resolves the references of a plan."""

    def __init__(self, configuration: Any, changes: list[Change]) -> None:
        self._root = _object(_object(configuration).get("root_module"))
        self.providers = _object(_object(configuration).get("provider_config"))
        self._changes: dict[tuple[str, str], list[Change]] = {}
        self._at: dict[tuple[str, str], list[Change]] = {}
        self._turns: dict[tuple[str, str, str], list[Change]] = {}
        self._written: dict[str, dict[str, dict[str, Any]]] = {}
        for change in changes:
            name = f"{change.type}.{change.name}"
            inner = change.address.removeprefix(f"{change.module}.")
            self._changes.setdefault((change.module, name), []).append(change)
            self._at.setdefault((change.module, inner), []).append(change)
            self._turns.setdefault((change.module, name, repr(change.index)), []).append(change)

    def written(self, change: Change) -> dict[str, Any] | None:
        """How the configuration writes the resource; None where the plan does not hold it."""
        if change.module not in self._written:
            resources = (self._module(change.module) or {}).get("resources")
            every = map(_object, resources if type(resources) is list else ())
            named = {one["address"]: one for one in every if type(one.get("address")) is str}
            self._written[change.module] = named
        return self._written[change.module].get(f"{change.type}.{change.name}")

    def target(self, change: Change, path: tuple[str | int, ...]) -> Target | None:
        """The resource that an attribute gets its value from; None where that is not clear."""
        node = _follow(_object((self.written(change) or {}).get("expressions")), path)
        found: set[tuple[str, str, str, str]] = set()
        turned = False
        for module, name in self._leaves(node, change.module, set()):
            if name in ("each.key", "count.index"):
                turned = True
            match = _RESOURCE.fullmatch(name) if not name.startswith(_KNOWN) else None
            if name.startswith(_KNOWN):
                continue
            if match is None or match[1].startswith(("data.", "local.", "var.", "each.")):
                return None
            found.add((module, match[1], match[2], match[3] or ""))
        if len({one[:3] for one in found}) != 1:
            return None
        module, name, key, attribute = found.pop()
        return self._instance(change, module, name, key, attribute, turned=turned)

    def _instance(
        self, change: Change, module: str, name: str, key: str, attribute: str, *, turned: bool
    ) -> Target | None:
        instances = self._changes.get((module, name), [])
        if key:
            instances = self._at.get((module, f"{name}{key}"), [])
        elif turned and len(instances) > 1:
            instances = self._turns.get((module, name, repr(change.index)), [])
        return Target(instances[0], attribute) if len(instances) == 1 else None

    def _leaves(self, node: Any, module: str, seen: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """The most telling names of an expression, each once, with the module that it stands in."""
        names = node.get("references") if type(node) is dict else None
        names = [name for name in names if type(name) is str] if type(names) is list else []
        shorter = {name[: mark.start()] for name in names for mark in _MARK.finditer(name)}
        for name in names:
            if name in shorter or (module, name) in seen:
                continue
            seen.add((module, name))
            if name.startswith("var."):
                yield from self._variable(name.split(".")[1].split("[")[0], module, seen)
            elif name.startswith("module."):
                yield from self._output(name, module, seen)
            else:
                yield module, name

    def _variable(self, name: str, module: str, seen: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """What the caller of a module gives it; a variable of the root is known."""
        steps = list(_STEP.finditer(module))
        if not steps:
            return
        outer = module[: steps[-1].start()].rstrip(".")
        call = _object(_object((self._module(outer) or {}).get("module_calls")).get(steps[-1][1]))
        yield from self._leaves(_object(call.get("expressions")).get(name), outer, seen)

    def _output(self, name: str, module: str, seen: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        match = _OUTPUT.match(name)
        if match is None:
            yield module, "local.unclear"
            return
        inner = f"{module}.module.{match[1]}{match[2]}".lstrip(".")
        output = _object(_object((self._module(inner) or {}).get("outputs")).get(match[3]))
        yield from self._leaves(output.get("expression"), inner, seen)

    def _module(self, address: str) -> dict[str, Any] | None:
        found = self._root
        for step in _STEP.finditer(address):
            found = _object(_object(_object(found.get("module_calls")).get(step[1])).get("module"))
        return found or None


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _follow(node: Any, path: tuple[str | int, ...]) -> Any:
    """The expression at a path; of blocks that are several, only one that stands alone can be told from the others."""
    for step in path:
        if type(node) is list:
            node = node[0] if len(node) == 1 else None
        if type(step) is int:
            continue
        if type(node) is dict and "references" in node and step not in node:
            return node
        node = node.get(step) if type(node) is dict else None
    return node
