"""What one resource says of another: the vault and the key, or where copies and logs go."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.facts import VaultRule, find_region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["VAULT_TYPES", "KeyName", "PlaceBook", "VaultName", "keys_in", "vault_name", "vaults_in"]

VAULT_TYPES: Final = {"microsoft.keyvault/vaults": "vault", "microsoft.keyvault/managedhsms": "managedhsm"}
_VAULT_URI: Final = re.compile(
    r"https://([a-z0-9-]+)\.(vault|managedhsm)\.(azure\.net|azure\.cn|chinacloudapi\.cn|usgovcloudapi\.net)(?::443)?(?:/|$)",
    re.IGNORECASE,
)
# https://docs.azure.cn/key-vault/keys/about-keys for the hosts in China.
_CLOUDS: Final = {
    "azure.net": "AzureCloud", "azure.cn": "AzureChinaCloud", "chinacloudapi.cn": "AzureChinaCloud",
    "usgovcloudapi.net": "AzureUSGovernment",
}  # fmt: skip
_VAULT_ID: Final = re.compile(
    r"(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/(microsoft\.keyvault/(?:vaults|managedhsms))/([^/]+))(?:/|$)",
    re.IGNORECASE,
)


class VaultName(NamedTuple):
    """The vault that a reference names: its kind and name; a URI's cloud, or the resource id where it is one."""

    kind: str
    name: str
    cloud: str = ""
    id: str = ""


@lru_cache(maxsize=4096)
def vault_name(reference: str) -> VaultName | None:
    """The vault that a key URI, a vault URI or a resource id names; None where it names none of Azure's.

    >>> vault_name("https://Contoso.vault.azure.net/keys/k/1")
    VaultName(kind='vault', name='contoso', cloud='AzureCloud', id='')
    >>> vault_name("https://contoso.vault.azure.net.example.com") is None
    True
    """
    found = _VAULT_URI.match(reference)
    if found:
        return VaultName(found[2].lower(), found[1].lower(), cloud=_CLOUDS[found[3].lower()])
    found = _VAULT_ID.match(reference)
    return VaultName(VAULT_TYPES[found[2].lower()], found[3].lower(), id=found[1].lower()) if found else None


class KeyName(NamedTuple):
    """A key that a resource refers to; `version` is empty where the reference names none."""

    vault: VaultName
    name: str
    version: str


# What is planned says `{version}` for one that is not known yet.
_KEY: Final = re.compile(r"/keys/([A-Za-z0-9-]+)(?:/([0-9a-fA-F]+|\{[^{}/]*\}))?/?(?:[?#].*)?$")


def keys_in(rule: VaultRule, body: Any, *, nameless: bool = False) -> Iterator[KeyName]:
    """The keys that a body refers to, each once; `nameless`: also references to a vault that do not name the key."""
    at = rule.key or rule.vault
    found = at.find(body) if at else None
    seen = set()
    for reference in _references(found, triples=rule.key is not None):
        vault, path = vault_name(reference), _KEY.search(reference)
        if vault and (path or nameless):
            key = KeyName(vault, path[1].lower() if path else "", (path[2] or "") if path else "")
            if key not in seen:
                seen.add(key)
                yield key


def vaults_in(rule: VaultRule, body: Any) -> Iterator[VaultName]:
    """The vaults that a body names, with or without a key."""
    for at in filter(None, (rule.vault, rule.key)):
        for reference in _references(at.find(body), triples=at is rule.key):
            if (vault := vault_name(reference)) is not None:
                yield vault


def _references(found: Any, *, triples: bool) -> Iterator[str]:
    """Key URIs: those that stand there, and those that lists of vault, name and version mean."""
    if type(found) is str:
        yield found
    elif type(found) is list:
        if triples and found and _is_triple(found):
            vault, name, *version = found
            yield "/".join(
                [vault.rstrip("/"), "keys", name, *(str(text) for text in version if text not in (None, ""))]
            )
        else:
            for item in found:
                yield from _references(item, triples=triples)


def _is_triple(found: list[Any]) -> bool:
    """Whether it is the address of a vault, the name of a key, and perhaps a version."""
    vault, *rest = found
    names_vault = type(vault) is str and vault_name(vault) is not None and "/keys/" not in vault
    return names_vault and bool(rest) and type(rest[0]) is str and rest[0] != "" and "/" not in rest[0]


class PlaceBook:
    """Where resources are, by id and by name: sixteen bytes for each, since there may be very many."""

    def __init__(self) -> None:
        self._at: dict[str, array[int]] = {}  # by location, hashes of ids and of names with their type
        self._tidy: set[str] = set()  # the locations whose hashes are sorted

    def add(self, resource_type: str, resource_id: str, location: str) -> None:
        """Takes a resource in; its location as its row spells it."""
        region = find_region(location)
        place = region.name if region else location
        known = self._at.setdefault(place, array("q"))
        lowered = resource_id.lower()
        known.append(hash(lowered))
        known.append(hash((resource_type, lowered.rpartition("/")[2])))
        self._tidy.discard(place)

    def find(self, reference: str, types: Sequence[str]) -> tuple[str, list[str]]:
        """The name of the resource that is meant, and its locations: more than one where rows contradict each other."""
        identity = _resource_around(reference, types)
        name = identity.rpartition("/")[2] or _host(reference)
        hashes = [hash(identity)] if identity else [hash((kind, name)) for kind in types]
        return name or reference, [
            place for place in sorted(self._at) if any(self._is_at(place, key) for key in hashes)
        ]

    def _is_at(self, place: str, key: int) -> bool:
        if place not in self._tidy:
            self._at[place] = array("q", sorted(self._at[place]))
            self._tidy.add(place)
        known = self._at[place]
        at = bisect_left(known, key)
        return at < len(known) and known[at] == key


def _resource_around(reference: str, types: Sequence[str]) -> str:
    """The id, in lower case, of the resource of one of the types that an id is, or is inside of; "" where it is no id.

    >>> rule = "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventHub/namespaces/n/authorizationRules/r"
    >>> _resource_around(rule, ["microsoft.eventhub/namespaces"])
    '/subscriptions/s/resourcegroups/g/providers/microsoft.eventhub/namespaces/n'
    """
    lowered = reference.strip().rstrip("/").lower()
    if not lowered.startswith("/"):
        return ""
    scope, _, path = lowered.rpartition("/providers/")
    parts = path.split("/")
    for length in range(3, len(parts) + 1, 2):
        if "/".join((parts[0], *parts[1:length:2])) in types:
            return f"{scope}/providers/{'/'.join(parts[:length])}"
    return lowered


def _host(reference: str) -> str:
    """The first label of an address's host, or the name as it is, in lower case."""
    lowered = reference.strip().lower()
    return re.split(r"[./:]", lowered.partition("://")[2] or lowered, maxsplit=1)[0]
