"""A Terraform plan as JSON (`terraform show -json`): the resources of Azure as they will be.

Its form: https://developer.hashicorp.com/terraform/internals/json-format#plan-representation; how the provider azurerm
spells what ARM has is the table facts/terraform.yaml, and azapi spells it as ARM does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.pages import Unread
from sovereignmesh.audit.planned.azapi import azapi_body, azapi_type
from sovereignmesh.audit.planned.bodies import Body, look_up
from sovereignmesh.audit.planned.references import Change, References
from sovereignmesh.audit.planned.rows import Planned, finish, tell_unknown
from sovereignmesh.facts import properties_read
from sovereignmesh.facts.terraform import find_planned_type, passed_over, without_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.facts.terraform import PlannedType

__all__ = ["terraform_rows"]

_VERSION: Final = re.compile(r"[01]\.\d+")
_GONE: Final = ({"delete"}, {"forget"}, {"read"})
_HOSTS: Final = {"public": "vault.azure.net", "usgovernment": "vault.usgovcloudapi.net", "china": "vault.azure.cn"}
_KEYS: Final = ("azurerm_key_vault_key", "azurerm_key_vault_certificate")


def terraform_rows(plan: dict[str, Any], name: str) -> Iterator[Any]:
    """The rows of what will be there, and an `Unread` for each part of the plan that does not tell."""
    version = plan.get("format_version")
    if type(version) is not str or not _VERSION.fullmatch(version):
        yield Unread(name, f"a Terraform plan of a format that is not known: format_version {version!r}", final=True)
        return
    written = plan.get("resource_changes")
    if type(written) is not list:
        why = "holds no resource_changes: write a plan with `terraform show -json FILE`, of a plan and not of a state"
        yield Unread(name, why, final=True)
        return
    if plan.get("errored", False) is not False:
        yield Unread(name, "Terraform says that the plan ended with an error", final=True)
    if plan.get("complete", True) is not True:  # older versions do not say it
        why = "Terraform says that the plan is not complete: made for some targets, or with parts put off"
        yield Unread(name, why, final=True)
    changes: list[Change] = []
    for number, one in enumerate(written):
        change = _change(one)
        if change is None:
            yield Unread(
                f"{name}: resource_changes[{number}]", "no change of a resource: type, address or change missing"
            )
        elif change.type.startswith(("azurerm_", "azapi_")):
            changes.append(change)
            # https://developer.hashicorp.com/terraform/internals/json-format: left as it is, outside of Terraform
            if "forget" in one["change"]["actions"] and not passed_over(change.type):
                yield Unread(f"{name}: {one.get('address')}", "Terraform forgets it, and Azure keeps it: audit it live")
    deferred = plan.get("deferred_changes") or []
    for number, one in enumerate(deferred if type(deferred) is list else (deferred,)):
        inner = one.get("resource_change") if type(one) is dict else None
        where = inner.get("address") if type(inner) is dict else f"deferred_changes[{number}]"
        yield Unread(f"{name}: {where}", "Terraform has put it off to a later plan")
    reader = _Reader(plan, [change for change in changes if change.address], name)
    found = list(reader.rows())
    yield from (one for one in found if isinstance(one, Unread))
    yield from finish(one for one in found if isinstance(one, Planned))


def _change(one: Any) -> Change | None:
    """The change; one without an address for what is not there afterwards, None where it is none."""
    change = one.get("change") if type(one) is dict else None
    actions = change.get("actions") if type(change) is dict else None
    if type(change) is not dict or type(actions) is not list or type(one.get("type")) is not str:
        return None
    address = one.get("address")
    after = change.get("after")
    gone = one.get("mode") == "data" or set(map(str, actions)) in _GONE
    if not gone and (type(after) is not dict or type(address) is not str or not address):
        return None
    return Change(
        "" if gone else str(address),
        one["type"],
        str(one.get("name", "")),
        str(one.get("module_address") or ""),
        one.get("index"),
        str(one.get("provider_name") or ""),
        after if type(after) is dict else {},
        _marks(change.get("after_unknown")),
        change.get("before"),
        "create" in actions,
    )


def _marks(written: Any) -> Any:
    """What is not known: by name, or all; all too where that is written in no way that is known."""
    return written if type(written) is dict or written in (None, False) else True


class _Reader:
    """Reads the resources of a plan of the file `name`, each with those that it refers to."""

    def __init__(self, plan: dict[str, Any], changes: list[Change], name: str) -> None:
        self._name, self._changes = name, changes
        self._variables = plan.get("variables")
        self._references = References(plan.get("configuration"), changes)
        self._ids: dict[str, str] = {}
        self._made: dict[str, str] = {}

    def rows(self) -> Iterator[Planned | Unread]:
        planned: dict[str, Planned] = {}
        setters: list[tuple[Change, PlannedType]] = []
        for change in self._changes:
            if change.type.startswith("azapi_"):
                one = self._azapi(change)
                if one is not None and not (isinstance(one, Planned) and without_data(one.row["type"])):
                    yield one
                continue
            row = find_planned_type(change.type)
            if row is not None and row.into:
                setters.append((change, row))
            elif row is not None:
                if row.silent:
                    continue
                found = self._resource(change, row)
                planned[found.row["id"].lower()] = found
                yield from self._inner(change, row, found)
                yield found
            elif not passed_over(change.type):
                why = f"nothing is known of what {change.type} is in Azure Resource Manager"
                yield Unread(f"{self._name}: {change.address}", why)
        for change, row in setters:
            assert row.into is not None
            target = self._tied(change, row.into)
            one = planned.get(target.lower()) if target else None
            if one is None:
                why = "it sets properties of a resource that is not in the plan"
                yield Unread(f"{self._name}: {change.address}", why)
            else:
                self._body(change, row).write(one.row, row.body)

    def _body(self, change: Change, row: PlannedType | None) -> Body:
        return Body(change, self._references, self.address, row.computed if row else frozenset())

    def _resource(self, change: Change, row: PlannedType) -> Planned:
        identity = self.id(change)
        name = identity.rpartition("/")[2]
        found: dict[str, Any] = {"id": identity, "name": name, "type": row.type, "apiVersion": row.api_version}
        body = self._body(change, row)
        if "location" in {at for spelling in row.body.values() for at in spelling.at}:
            body.write_tags(found)  # what the provider calls location is another property
        else:
            body.write_common(found)
        found["properties"] = {}
        body.write(found, row.body)
        if row.partial:
            del found["apiVersion"]
        if row.partial or not change.new:  # what is there already may have what the provider does not spell
            for name in properties_read().get(row.type.lower(), ()):
                if name not in row.spelled:
                    tell_unknown(found, f"properties.{name}")
                    found.setdefault("notTranslated", []).append(f"properties.{name}")
        parent = self._tied(change, row.tied) if row.tied else ""
        return Planned(found, change.address, new=change.new, parent=parent)

    def _inner(self, change: Change, row: PlannedType, around: Planned) -> Iterator[Planned]:
        """The resources that the provider writes as blocks of this one."""
        for child in row.children:
            state, items, _ = look_up(change, child.each)
            if state == "unknown":
                tell_unknown(around.row, "children")
            for number, item in enumerate(items if state == "known" and type(items) is list else ()):
                body = self._body(change, row).of_item(child.each, number)
                name = item.get(child.name) if type(item) is dict else None
                label = f"{change.address}.{child.each}[{number}]".replace("/", "|")
                own = name if type(name) is str and name else f"{{{label}}}"
                identity = (
                    f"{around.row['id']}/{child.type.rpartition('/')[2]}/{own.replace(' ', '').replace('/', '|')}"
                )
                found: dict[str, Any] = {
                    "id": identity, "name": own, "type": child.type, "apiVersion": row.api_version, "properties": {},
                }  # fmt: skip
                body.write(found, child.body)
                if change.unknown is True or not found.get("location"):
                    tell_unknown(found, "location")
                yield Planned(found, f"{change.address}.{child.each}[{number}]", new=change.new)

    def _azapi(self, change: Change) -> Planned | Unread | None:
        where = f"{self._name}: {change.address}"
        if change.type == "azapi_resource_action":
            return _acts(change, where)
        if change.type == "azapi_data_plane_resource":
            return Unread(where, "what it makes inside a resource is not known to this audit")
        if change.type != "azapi_resource":
            return Unread(where, f"{change.type} sets properties of a resource of which it does not tell the rest")
        kind = azapi_type(change)
        if kind is None:
            return Unread(where, "its `type` is not known before deployment, or is no TYPE@VERSION")
        identity = self.id(change)
        row: dict[str, Any] = {
            "id": identity, "name": identity.rpartition("/")[2], "type": kind[0], "apiVersion": kind[1],
        }  # fmt: skip
        if (wrong := azapi_body(change, row, self._body(change, None))) is not None:
            return Unread(where, wrong)
        self._tell_left_out(change, row)
        return Planned(row, change.address, new=change.new)

    def _tell_left_out(self, change: Change, row: dict[str, Any]) -> None:
        """Notes what a body does not say: of what is there already, and of one that has a secret part."""
        secret = self._has_secrets(change)
        if secret:
            for at in ("sku", "kind", "properties"):
                row.pop(at, None)
                tell_unknown(row, at)
            row["properties"] = {}
        if secret or not change.new:
            told = row.get("properties") or ()
            for name in properties_read().get(row["type"].lower(), ()):
                if name not in told:
                    tell_unknown(row, f"properties.{name}")

    def _has_secrets(self, change: Change) -> bool:
        """Whether a part of the body is kept out of the plan; it may say anything of sku, kind and properties.

        https://registry.terraform.io/providers/Azure/azapi/latest/docs/resources/resource, sensitive_body
        """
        written = (self._references.written(change) or {}).get("expressions")
        named = type(written) is dict and "sensitive_body" in written
        return named or look_up(change, "sensitive_body")[0] != "absent"

    def _tied(self, change: Change, attribute: str) -> str:
        """The id that an attribute holds or will hold; "" where that is not clear."""
        state, value, path = look_up(change, attribute)
        if state == "known" and type(value) is str:
            return value.rstrip("/")
        target = self._references.target(change, path) if state == "unknown" else None
        return self.id(target.change) if target else ""

    def address(self, change: Change, attribute: str) -> str:
        """How others know a resource: a key or a vault by its URI where the names tell it, the rest by its id."""
        host = self._host(change)
        if change.type in _KEYS and host and not attribute.startswith("resource_"):
            vault = self._tied(change, "key_vault_id").rpartition("/")[2]
            name = change.after.get("name")
            if vault and "{" not in vault and type(name) is str and name:
                version = "" if "versionless" in attribute else "/{version}"
                return f"https://{vault}.{host}/keys/{name}{version}"
        return self.id(change)

    def _host(self, change: Change) -> str | None:
        """Where the vaults of the provider's cloud are; None where that is not clear."""
        said = self._provider(change, "environment", "public")
        return _HOSTS.get(said.lower()) if said else None

    def _provider(self, change: Change, key: str, default: str = "") -> str:
        """A setting of the provider that makes the resource."""
        config = self._config(change)
        provider = self._references.providers.get(config)
        expressions = provider.get("expressions") if type(provider) is dict else None
        node = expressions.get(key) if type(expressions) is dict else None
        if type(node) is not dict:
            return default
        references = node.get("references")
        if type(references) is list and len(references) == 1 and str(references[0]).startswith("var."):
            variables = self._variables if type(self._variables) is dict else {}
            variable = variables.get(references[0][4:])
            node = {"constant_value": variable.get("value") if type(variable) is dict else None}
        value = node.get("constant_value")
        return value if type(value) is str else ""

    def id(self, change: Change) -> str:
        """The id that the resource has or will have; what is not known of it stands in braces."""
        if change.address not in self._ids:
            self._ids[change.address] = f"/{{{change.address.replace('/', '|')}}}"  # to one that refers to itself
            self._ids[change.address] = self._identify(change)
        return self._ids[change.address]

    def _identify(self, change: Change) -> str:
        known = change.after.get("id")
        if type(known) is str and known.lower().startswith(("/subscriptions/", "/providers/")) and "|" not in known:
            return known.rstrip("/")
        label = f"{{{change.address.replace('/', '|')}}}"
        name = change.after.get("name")
        own = name if type(name) is str and name else label
        if change.type.startswith("azapi_"):
            kind = azapi_type(change)
            return self._below(self._tied(change, "parent_id"), kind[0] if kind else "", own, change)
        row = find_planned_type(change.type)
        if row is None:
            return f"{self._subscription(change)}/providers/{label}/{own}"
        return self._by_table(change, row, row.name or own, label)

    def _by_table(self, change: Change, row: PlannedType, own: str, label: str) -> str:
        if row.parent or row.type == "Microsoft.Resources/resourceGroups":
            return self._below(self._tied(change, row.parent) if row.parent else "", row.type, own, change)
        if row.scope:
            return f"{self._tied(change, row.scope)}/providers/{row.type}/{own}"
        provider, *segments = row.type.split("/")
        group = f"{self._subscription(change)}/resourceGroups/{self._group(change)}"
        if row.path:
            group = self._tied(change, row.tied).partition("/providers/")[0] if row.tied else group
            return f"{group}/providers/{provider}/{row.path.format_map(_Named({**change.after, 'name': own}))}"
        if row.within:
            outer = change.after.get(row.within)
            outer = outer if type(outer) is str and outer else label
            return f"{group}/providers/{provider}/{segments[0]}/{outer}/{segments[1]}/{own}"
        return f"{group}/providers/{provider}/{segments[-1]}/{own}"

    def _below(self, parent: str, kind: str, own: str, change: Change) -> str:
        """The id of a resource of that type inside its parent, a group or a subscription among them."""
        provider, *segments = kind.split("/")
        if kind.lower() == "microsoft.resources/resourcegroups":
            return f"{parent or self._subscription(change)}/resourceGroups/{own}"
        if parent and len(segments) > 1 and f"/{segments[-2]}/".lower() in f"{parent}/".lower():
            return f"{parent}/{segments[-1]}/{own}"
        if parent and len(segments) == 1:
            return f"{parent}/providers/{kind}/{own}"
        label = change.address.replace("/", "|")
        outer = "".join(f"/{segment}/{{{label}}}" for segment in segments[:-1])
        group = f"{self._subscription(change)}/resourceGroups/{{{label}}}"
        return f"{group}/providers/{provider}{outer}/{segments[-1] if segments else label}/{own}"

    def _subscription(self, change: Change) -> str:
        """That of the provider; where its settings do not say, that of what the same provider has made already."""
        said = self._provider(change, "subscription_id")
        return f"/subscriptions/{said or self._made_in(self._config(change)) or '{subscription}'}"

    def _config(self, change: Change) -> str:
        config = (self._references.written(change) or {}).get("provider_config_key")
        return config if type(config) is str else ""

    def _made_in(self, config: str) -> str:
        """The one subscription of what a provider's configuration has made in groups."""
        if config not in self._made:
            found = set()
            for change in self._changes:
                identity = change.after.get("id")
                grouped = "resource_group_name" in change.after or change.type == "azurerm_resource_group"
                if type(identity) is str and grouped and self._config(change) == config != "":
                    found.add(identity.lower().removeprefix("/subscriptions/").partition("/")[0])
            self._made[config] = found.pop() if len(found) == 1 else ""
        return self._made[config]

    def _group(self, change: Change) -> str:
        state, value, path = look_up(change, "resource_group_name")
        if state == "known" and type(value) is str and value:
            return value
        target = self._references.target(change, path) if state == "unknown" else None
        if target and target.change.type == "azurerm_resource_group":
            return self.id(target.change).rpartition("/")[2]
        return f"{{{change.address.replace('/', '|')}}}"


def _acts(change: Change, where: str) -> Unread | None:
    """A gap for an action that may change something; its method is POST where nothing is written.

    https://github.com/Azure/terraform-provider-azapi/blob/main/docs/resources/resource_action.md
    """
    state, method, _ = look_up(change, "method")
    if state == "known" and str(method).upper() in ("GET", "HEAD"):
        return None
    if look_up(change, "when")[:2] == ("known", "destroy"):
        return None
    said = str(method).upper() if state == "known" else "POST" if state == "absent" else "a request"
    return Unread(where, f"what {said} changes is not known before deployment")


class _Named(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"
