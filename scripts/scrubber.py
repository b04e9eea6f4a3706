"""Takes what is the customer's out of recorded exchanges: names, ids, addresses, secrets, words; the shape stays."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from sovereignmesh.facts import find_region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["BATCH", "GRAPH", "TOKEN_KEYS", "Exchange", "RecordingError", "Scrubber", "vars_of"]

TOKEN_KEYS: Final = frozenset({"$skiptoken", "skiptoken", "skip_token", "continuationtoken", "$continuationtoken"})
GRAPH: Final = "/providers/microsoft.resourcegraph/resources"
BATCH: Final = "/batch"


class RecordingError(Exception):
    """What must not be recorded."""


# What is recorded


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `response` is {"text": ...} where what came is no JSON."""

    method: str
    url: str
    request: Any
    status: int
    headers: dict[str, str]
    response: Any


MASKED: Final = "masked"
_GUID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
_HEX32: Final = re.compile(r"(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])", re.IGNORECASE)
_OWN_GUID: Final = re.compile(r"00000000-0000-0000-0000-0000000(\d{5})")
_MAIL: Final = re.compile(r"[\w.+%#-]+@[\w-]+(?:\.[\w-]+)+")
_OWN_MAIL: Final = re.compile(r"user(\d+)@example\.com")
_V4: Final = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_V6: Final = re.compile(r"(?<![\w:.])(?=[0-9a-f]*:[0-9a-f]*:)[0-9a-f:]{3,39}(?![\w:.])", re.IGNORECASE)
_MEANING: Final = frozenset({"0.0.0.0", "255.255.255.255", "127.0.0.1", "::", "::1"})  # noqa: S104 - nothing listens
_DOCUMENTATION: Final = ("192.0.2", "198.51.100", "203.0.113")
_OWN_TOKEN: Final = re.compile(r"page-token-(\d+)")
_ID: Final = re.compile(r"/?(?:subscriptions|providers|tenants)/[^\s'\",;?#&)]+", re.IGNORECASE)
_WHOLE_ID: Final = re.compile(r"/?(?:subscriptions|providers|tenants)/[^\n?]+", re.IGNORECASE)
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\",<>]+", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:[a-z0-9*_-]+\.)+[a-z]{2,}", re.IGNORECASE)
_BARE_URL: Final = re.compile(rf"({_HOST.pattern})(?::\d+)?(?:/\S*)?", re.IGNORECASE)
_HOST_IN_TEXT: Final = re.compile(rf"(?<![\w@/.-]){_HOST.pattern}(?![\w@/.-])", re.IGNORECASE)
_PLAIN_SEGMENT: Final = re.compile(r"[A-Za-z$][A-Za-z_.$]*")
_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)+(/[A-Za-z0-9.*_]+)*|\*(/[A-Za-z]+)?")
_WORD: Final = re.compile(r"[A-Za-z0-9*$][A-Za-z0-9*$_.,:;/+()<>=-]{0,63}|<EOF>")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?")
_LOOKS_RANDOM: Final = re.compile(
    r"(?=(?:[^\s]*\d){3})(?=[^\s]*[a-z])(?=[^\s]*[A-Z])[A-Za-z0-9+/_=~.-]{20,}|[0-9a-fA-F]{24,}"
)
# Whole values with one of these in them are masked, wherever they stand.
_SECRET: Final = re.compile(
    r"eyJ[\w-]{4,}\.[\w-]{4,}"  # a JSON web token
    r"|-----BEGIN"
    r"|\b(?:bearer|basic)\s+[\w.~+/=-]{8,}"
    r"|\b(?:account|shared|shared\s?access|primary|secondary|storage|api)?key\s*=\s*[\w+/]{8,}"
    r"|\b(?:sig|pwd|password|client_secret|shared\s?access\s?signature|code|token)\s*=\s*[^\s&;]{3,}"
    r"|[A-Za-z0-9+/]{86}=="  # a key of a storage account
    r"|(?<![\w.~-])[\w.-]{3}[0-9]Q~[\w.~-]{20,}",  # a secret of an application
    re.IGNORECASE,
)
_SECRET_KEYS: Final = re.compile(
    r"(password|pwd|secret|connectionstring|accountkey|primarykey|secondarykey|sharedkey|accesskey|apikey|sas|token"
    r"|signature|customdata|userdata|script|command|argument|arg|publickey|keydata|certificate|thumbprint)s?$",
    re.IGNORECASE,
)
_TEXT_KEYS: Final = re.compile(
    r"(description|displayname|friendlyname|title|comments?|notes?|reason|label|etag|summary|markdown|content|text)$",
    re.IGNORECASE,
)
_NAME_KEYS: Final = re.compile(
    r"(name|names|user|login|owners?|contacts?|by|authors?|principal|upn|mails?|alias|prefix|account|host|database"
    r"|workspace|bucket|container|share|folder|path|subject|issuer|serial|computer|domain|domains|publisher|offer|branch)$",
    re.IGNORECASE,
)
_DROPPED: Final = frozenset(
    {"correlationid", "requestid", "activityid", "trackingid", "clientrequestid", "serverrequestid", "operationid"}
)
_PUBLIC_PLACES: Final = frozenset({"geography", "geographygroup", "physicallocation", "regionaldisplayname"})
_NAMES_OF_KINDS: Final = frozenset({"sku", "capabilities", "tier", "plan", "currentsku", "requestedsku"})
_CUSTOMERS: Final = frozenset({"tags", "appsettings", "environmentvariables", "metadata_tags", "labels"})
_CHAINS: Final = frozenset({"ancestors", "managementgroupancestorschain"})
_COMMON_NAMES: Final = frozenset(
    {
        "default",
        "current",
        "master",
        "web",
        "logs",
        "azurebastionsubnet",
        "azurefirewallsubnet",
        "gatewaysubnet",
        MASKED,
    }
)
_PREFIXES: Final = {
    "subscriptions": "sub", "resourcegroups": "rg", "managementgroups": "mg", "storageaccounts": "st", "vaults": "kv",
    "virtualmachines": "vm", "disks": "disk", "virtualnetworks": "vnet", "subnets": "snet", "servers": "server",
    "databases": "db", "sites": "app", "privateendpoints": "pe", "networkinterfaces": "nic", "tenants": "tenant",
    "registries": "cr", "clusters": "cluster", "workspaces": "ws", "namespaces": "ns", "databaseaccounts": "cosmos",
    "publicipaddresses": "pip", "networksecuritygroups": "nsg", "userassignedidentities": "id", "keys": "key",
    "principal": "principal", "snapshots": "snap",
}  # fmt: skip
_OTHER: Final = "res"
_OWN_NAME: Final = re.compile(rf"st(\d+)|(?:{'|'.join(sorted({*_PREFIXES.values(), _OTHER}))})-(\d+)")
# Hosts of services: what stands before is somebody's name, if it is none of _LABELS. From Microsoft's list of domains,
# https://learn.microsoft.com/azure/security/fundamentals/azure-domains.
_SERVICES: Final = tuple(
    sorted(
        (
            f"{service}{suffix}"
            for suffix in ("azure.net", "azure.com", "azure.us", "azure.cn", "windows.net", "usgovcloudapi.net",
                           "chinacloudapi.cn", "azure-api.net", "azurewebsites.net", "azurewebsites.us",
                           "azurecr.io", "azurefd.net", "azureedge.net", "trafficmanager.net", "azurestaticapps.net",
                           "azurecontainerapps.io", "azmk8s.io", "azure-devices.net", "azurehdinsight.net",
                           "azuredatabricks.net", "onmicrosoft.com")
            for service in (
                "", "vault.", "managedhsm.", "blob.core.", "dfs.core.", "file.core.", "queue.core.", "table.core.",
                "web.core.", "database.", "documents.", "servicebus.", "search.", "cognitiveservices.", "openai.",
                "postgres.database.", "mysql.database.", "mariadb.database.", "redis.cache.", "kusto.", "dev.", "sql.",
                "azuresynapse.", "purview.", "monitor.", "azconfig.", "eventgrid.", "services.ai.", "mongo.cosmos.",
            )
        ),
        key=lambda suffix: (-len(suffix), suffix),
    )
)  # fmt: skip
_KIND_OF_HOST: Final = {
    "vault": "vaults",
    "blob": "storageaccounts",
    "dfs": "storageaccounts",
    "file": "storageaccounts",
}
_LABELS: Final = frozenset(
    {"privatelink", "scm", "ods", "oms", "agentsvc", "*", "www", "api", "portal", "login", "management", "core"}
    | {"blob", "dfs", "file", "queue", "table", "web", "vault", "database", "privatelink", "p", "dev", "sql"}
)
_PUBLIC_HOSTS: Final = frozenset(
    {"aka.ms", "learn.microsoft.com", "docs.microsoft.com", "schema.management.azure.com", "graph.microsoft.com",
     "management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn",
     "login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn"}
)  # fmt: skip
_TOP_LEVELS: Final = frozenset(
    {"com", "net", "org", "io", "us", "cn", "de", "eu", "uk", "fr", "ch", "local", "internal", "cloud", "dev", "app"}
)
_PARAMETERS: Final = frozenset({"api-version", "$top", "$expand", "$orderby", "$count"})
_MESSAGE_ID: Final = re.compile(
    r"((?:timestamp|(?:correlation|activity|request|tracking) ?id)\s*[=:]\s*)'?[\w:.+-]+?'?(?=[,.;\s]|$)(?!\.\d)",
    re.IGNORECASE,
)
_VERBS: Final = ("/read", "/write", "/delete", "/action", "/*")
_QUOTED: Final = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"")
# A word of a message that Azure would hardly say by itself.
_LIKE_A_NAME: Final = re.compile(r"(?<![\w/.:@$-])(?=[\w-]*[A-Za-z])(?=[\w-]*[\d_-])[A-Za-z0-9_-]{4,}(?![\w/@-]|\.\w)")
_KEPT_QUOTE: Final = re.compile(r"\$?[a-zA-Z]{0,3}|\$[A-Za-z]+|[\d., -]+(-preview)?|[A-Z][a-z]+([A-Z][a-z]+)+")


class Scrubber:
    """Takes out whatever could be somebody's, the same way each time, so that what refers to it still does.

    Nothing is kept because it is not known to be secret: what stays is what looks like a word of Azure's.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}  # by kind: what was found, and its number
        self._taken: dict[str, set[int]] = {}
        self._names: dict[str, str] = {}
        self._distinct: re.Pattern[str] | None = None
        self._mails: set[str] = set()

    def scrub(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """The exchanges without what is the customer's. Raises RecordingError where something would be left."""
        for each in exchanges:  # what is neutral already stays
            for text in _strings([each.url, each.request, each.headers, each.response]):
                self._reserve(text)
        for each in exchanges:
            for text in _strings([urlsplit(each.url).path, each.response]):
                self._learn(text)
        for _ in range(2):  # a name may come before what tells that it is one
            found = [self._exchange(each) for each in exchanges]
            self._distinct = self._pattern()
        for each in found:
            self._inspect(json.dumps(replace(each, request=_without_query(each.request)), default=vars_of))
        return found

    def value(self, value: Any, key: str = "", above: str = "", *, customers: bool = False) -> Any:
        """Any JSON value without what is the customer's; `key` is its own, `above` that of the object around it."""
        if isinstance(value, dict):
            return self._object(value, key, customers=customers)
        if isinstance(value, list):
            return [self.value(inner, key, above, customers=customers) for inner in value]
        if isinstance(value, str):
            return (MASKED if value else value) if customers else self.text(value, key, above)
        return value

    def text(self, text: str, key: str = "", above: str = "") -> str:
        """A string without what is the customer's."""
        if text in ("", MASKED) or _MOMENT.fullmatch(text) or find_region(text):
            return text
        for found in (self._by_key(text, key.lower()), self._by_shape(text, key.lower())):
            if found is not None:
                return found
        if _NAME_KEYS.search(key) and above.lower() not in _NAMES_OF_KINDS and not _TYPE.fullmatch(text):
            return self._name(text, "")
        if _TYPE.fullmatch(text) or (_WORD.fullmatch(text) and not _LOOKS_RANDOM.search(_MOMENT.sub("", text))):
            return text
        return MASKED

    def url(self, url: str) -> str:
        """An address without names, keys and tokens."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        path = unquote(parts.path)
        if _WHOLE_ID.fullmatch(path):
            path = self._id(path)
        elif host not in _PUBLIC_HOSTS:
            path = "/".join(self._path_segment(segment) for segment in path.split("/"))
        query = [(name, self._parameter(name, value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
        shown = f"?{urlencode(query, safe='$')}" if query else ""
        return f"{parts.scheme}://{self._address(host)}{port}{quote(path, safe='/$()*:,')}{shown}"

    # Where things stand

    def _by_key(self, text: str, key: str) -> str | None:
        """What the key, or a secret, makes of a text; None where these decide nothing."""
        if key in TOKEN_KEYS:
            return self._token(text)
        if _SECRET.search(text) or _SECRET_KEYS.search(key):
            return MASKED
        if key in ("message", "error_description"):
            return self._message(text)
        if key in _PUBLIC_PLACES:
            return text
        return MASKED if _TEXT_KEYS.search(key) and not _URL.fullmatch(text) else None

    def _by_shape(self, text: str, key: str) -> str | None:
        """What becomes of an address, an id, a host, and of what holds something else that can be told from words."""
        if _URL.fullmatch(text):
            return self.url(text)
        if _WHOLE_ID.fullmatch(text):
            return self._id(text)
        if (bare := _BARE_URL.fullmatch(text)) is not None and self._is_host(bare[1], key):
            return self.url(f"https://{text}").removeprefix("https://")
        inline = self._inline(text)
        if inline == text and not _alone(text):
            return None
        return inline if _alone(inline) or _WORD.fullmatch(inline) else MASKED

    def _exchange(self, each: Exchange) -> Exchange:
        request = self.value(each.request)
        if isinstance(each.request, dict) and isinstance(each.request.get("query"), str):
            request["query"] = self._inline(each.request["query"], names=False)  # ours, and nobody's words
        if urlsplit(each.url).path.lower() == BATCH and isinstance(each.request, dict):
            request["requests"] = [self._part(one) for one in each.request.get("requests", ())]
        response = self.value(each.response)
        if isinstance(each.response, dict) and each.response.keys() == {"text"}:
            response = {"text": MASKED}
        headers = {
            name: value if _is_plain_header(name) else self.text(value, "location")
            for name, value in sorted(each.headers.items(), key=lambda header: header[0].lower())
        }
        return replace(each, url=self.url(each.url), request=request, headers=headers, response=response)

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        """A request inside a batch, whose address is below the batch's own host."""
        host = "https://management.azure.com"
        return {
            name: self.url(host + value).removeprefix(host) if name == "url" else value for name, value in part.items()
        }

    def _object(self, value: dict[str, Any], key: str, *, customers: bool) -> dict[str, Any]:
        ours = customers or key.lower() in _CUSTOMERS
        kind = "managementgroups" if key.lower() in _CHAINS else _kind_named(value)
        found: dict[str, Any] = {}
        for name in sorted(value):
            if name.lower() in _DROPPED:
                continue
            if name.endswith(("token", "Token")) and value.get("code") == "ParserFailure":
                found[name] = value[name]  # of the query, which is ours
            elif kind and name in ("name", "displayName") and isinstance(value[name], str):
                found[name] = value[name] if kind == "locations" else self._guid_or_name(value[name], kind)
            else:
                found[self._key(name)] = self.value(value[name], name, key, customers=ours)
        return found

    def _key(self, name: str) -> str:
        if _WHOLE_ID.fullmatch(name):
            return self._id(name)
        if _SECRET.search(name):
            return f"masked-{self._number('key', name)}"
        prefix, found, identity = name.partition(":/")
        return f"{prefix}:{self._id('/' + identity)}" if found else self._inline(name)

    def _message(self, text: str) -> str:
        """A message of the service: its words, without what they are about."""
        text = _MESSAGE_ID.sub(rf"\g<1>{MASKED}", text)
        text = _URL.sub(lambda found: self.url(found[0]), text)
        text = re.sub(r"(?<=client ')[^']*(?=')", lambda found: self._name(found[0], "principal"), text)
        text = _QUOTED.sub(self._quoted, text)
        text = self._inline(_ID.sub(lambda found: self._id(found[0]), text))
        return _LIKE_A_NAME.sub(lambda found: found[0] if _is_ours(found[0]) else MASKED, text)

    def _quoted(self, found: re.Match[str]) -> str:
        mark, inner = found[0][0], found[1] if found[1] is not None else found[2]
        if _WHOLE_ID.fullmatch(inner):
            inner = self._id(inner)
        elif _TYPE.fullmatch(inner) and inner.count("/") > 1 and not inner.lower().endswith(_VERBS):
            inner = self._id(f"/providers/{inner}").removeprefix("/providers/")  # as ARM says what it did not find
        elif inner.lower() in self._names:
            inner = self._names[inner.lower()]
        elif not (
            _alone(inner) or _TYPE.fullmatch(inner) or _KEPT_QUOTE.fullmatch(inner) or _OWN_NAME.fullmatch(inner)
        ):
            inner = MASKED
        return f"{mark}{inner}{mark}"

    def _id(self, identity: str) -> str:
        """A resource's id, place by place: types and words stay, names are replaced."""
        segments = identity.split("/")
        found: list[str] = []
        kind, named = "", False  # of the segment to come, and whether it is a name
        for segment in segments:
            last = found[-1].lower() if found else ""
            if not segment:
                found.append(segment)
            elif last == "providers" and not named:
                found.append(segment if re.fullmatch(r"[\w.]+", segment) else self._name(segment, ""))
                kind, named = "", False
            elif named:
                found.append(segment if kind == "locations" else self._guid_or_name(segment, kind))
                named = False
            elif _PLAIN_SEGMENT.fullmatch(segment) or re.fullmatch(r"[A-Za-z]+[A-Za-z0-9]*", segment):
                found.append(segment)
                kind, named = segment.lower(), segment.lower() != "providers"
            else:
                found.append(self._guid_or_name(segment, ""))
        return "/".join(found)

    def _is_host(self, text: str, key: str) -> bool:
        if not _HOST.fullmatch(text) or (_TYPE.fullmatch(text) and text.lower().startswith("microsoft.")):
            return False
        lowered = text.lower()
        known = any(lowered == suffix or lowered.endswith(f".{suffix}") for suffix in _SERVICES)
        return known or lowered.rpartition(".")[2] in _TOP_LEVELS or key.endswith(("host", "fqdn", "domain", "domains"))

    def _host(self, host: str) -> str:
        lowered = host.lower()
        if lowered in _PUBLIC_HOSTS or re.fullmatch(r"host\d+\.example\.com|example\.com", lowered):
            return lowered
        for suffix in _SERVICES:
            if lowered == suffix:
                return lowered
            if lowered.endswith(f".{suffix}"):
                before = lowered.removesuffix(f".{suffix}").split(".")
                kind = _KIND_OF_HOST.get(suffix.partition(".")[0], "")
                return ".".join([*(self._label(label, kind) for label in before), suffix])
        return f"host{self._number('host', lowered)}.example.com"

    def _label(self, label: str, kind: str) -> str:
        if label in _LABELS or find_region(label) or re.fullmatch(r"z\d+", label):
            return label
        main, dash, secondary = label.rpartition("-")
        if secondary == "secondary" and dash:  # of a storage account that can be read elsewhere too
            return f"{self._guid_or_name(main, kind)}-secondary"
        return self._guid_or_name(label, kind)

    def _address(self, host: str) -> str:
        return self._inline(host) if _V4.fullmatch(host) or ":" in host else self._host(host) if host else ""

    def _path_segment(self, segment: str) -> str:
        if not segment or re.fullmatch(r"keys|secrets|certificates|v?\d{1,4}(\.\d+)*", segment):
            return segment
        return self._guid_or_name(segment, "")

    def _parameter(self, name: str, value: str) -> str:
        if name.lower() in TOKEN_KEYS:
            return self._token(value)
        return value if name.lower() in _PARAMETERS else MASKED

    def _inline(self, text: str, *, names: bool = True) -> str:
        """What can be told from words anywhere in a text: GUIDs, e-mail addresses, IP addresses and known names."""
        text = _MAIL.sub(self._mail, text)
        text = _GUID.sub(lambda found: self._guid(found[0]), text)
        text = _HEX32.sub(lambda found: self._guid(_dashed(found[0])).replace("-", ""), text)
        text = _V4.sub(lambda found: self._ip(found[0]), text)
        text = _V6.sub(lambda found: self._ip(found[0]), text)
        if names:
            text = _HOST_IN_TEXT.sub(
                lambda found: self._host(found[0]) if self._is_host(found[0], "") else found[0], text
            )
        if names and self._distinct is not None:
            text = self._distinct.sub(lambda found: self._names[found[0].lower()], text)
        return text

    # What things are called instead

    def _guid_or_name(self, text: str, kind: str) -> str:
        if _GUID.fullmatch(text):
            return self._guid(text)
        if _HEX32.fullmatch(text):
            return self._guid(_dashed(text)).replace("-", "")
        return self._name(text, kind)

    def _guid(self, text: str) -> str:
        lowered = text.lower()
        if not lowered.strip("0-") or _OWN_GUID.fullmatch(lowered):
            return lowered
        return f"00000000-0000-0000-0000-{self._number('guid', lowered):012d}"

    def _name(self, text: str, kind: str) -> str:
        lowered = text.lower()
        if lowered in _COMMON_NAMES or _OWN_NAME.fullmatch(lowered) or re.fullmatch(r"\d{1,4}(\.\d+)*", lowered):
            return text
        if lowered not in self._names:
            if (found := _MAIL.fullmatch(text)) is not None:
                return self._mail(found)
            prefix = _PREFIXES.get(kind, _OTHER)
            number = self._number(prefix, lowered)
            self._names[lowered] = f"st{number}" if prefix == "st" else f"{prefix}-{number}"
        return self._names[lowered]

    def _mail(self, found: re.Match[str]) -> str:
        lowered = found[0].lower()
        if _OWN_MAIL.fullmatch(lowered):
            return lowered
        self._mails.add(lowered)
        return f"user{self._number('mail', lowered)}@example.com"

    def _ip(self, text: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if str(address) in _MEANING or _is_documentation(address):
            return text
        number = self._number(f"ip{address.version}", str(address))
        if address.version == 6:
            return f"2001:db8::{number:x}"
        if number > 254 * len(_DOCUMENTATION):
            raise RecordingError("more addresses than are set aside for documentation")
        return f"{_DOCUMENTATION[(number - 1) // 254]}.{(number - 1) % 254 + 1}"

    def _token(self, text: str) -> str:
        return text if _OWN_TOKEN.fullmatch(text) else f"page-token-{self._number('token', text)}"

    def _number(self, kind: str, what: str) -> int:
        known, taken = self._numbers.setdefault(kind, {}), self._taken.setdefault(kind, set())
        if what not in known:
            number = len(known) + 1
            while number in taken:
                number += 1
            taken.add(number)
            known[what] = number
        return known[what]

    # What is known beforehand, and what must not be left

    def _reserve(self, text: str) -> None:
        for kind, pattern in (("guid", _OWN_GUID), ("mail", _OWN_MAIL), ("token", _OWN_TOKEN)):
            self._taken.setdefault(kind, set()).update(int(found[1]) for found in pattern.finditer(text))
        for found in re.finditer(r"host(\d+)\.example\.com", text):
            self._taken.setdefault("host", set()).add(int(found[1]))
        for found in re.finditer(r"(?<![\w-])([a-z]+)-?(\d+)(?![\w-])", text):
            if _OWN_NAME.fullmatch(found[0]):
                self._taken.setdefault(found[1], set()).add(int(found[2]))
        for found in (*_V4.finditer(text), *_V6.finditer(text)):
            try:
                address = ipaddress.ip_address(found[0])
            except ValueError:
                continue
            if _is_documentation(address):
                network = ".".join(str(address).split(".")[:3])
                base = 254 * _DOCUMENTATION.index(network) if address.version == 4 else 0
                self._taken.setdefault(f"ip{address.version}", set()).add(base + int(address) % 2**16 % 256)

    def _learn(self, text: str) -> None:
        if _WHOLE_ID.fullmatch(text):
            self._id(text)

    def _is_distinct(self, name: str) -> bool:
        """Whether a name is none that Azure could mean otherwise."""
        return len(name) >= 5 and (bool(re.search(r"[\d_-]", name)) or len(name) >= 12) and not find_region(name)

    def _pattern(self) -> re.Pattern[str] | None:
        names = sorted((name for name in self._names if self._is_distinct(name)), key=lambda name: (-len(name), name))
        if not names:
            return None
        # A name that is a plain word is none where it is part of a type: Microsoft.Communication/...
        words = [re.escape(name) if re.search(r"[\d_-]", name) else rf"(?<![./]){re.escape(name)}" for name in names]
        return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(words)})(?![A-Za-z0-9])", re.IGNORECASE)

    def _inspect(self, text: str) -> None:
        """Raises RecordingError where what was replaced elsewhere is still there."""
        left = [guid for guid in _GUID.findall(text) if guid.strip("0-") and not _OWN_GUID.fullmatch(guid.lower())]
        left += [mail for mail in _MAIL.findall(text) if mail.lower() in self._mails]
        left += self._distinct.findall(text) if self._distinct else []
        left += [found[0] for found in _SECRET.finditer(text)]
        if left:
            raise RecordingError(f"{len(left)} values would be left that are the customer's: {sorted(set(left))[:5]}")


def vars_of(value: Exchange) -> dict[str, Any]:
    """An exchange as the JSON of its file has it."""
    return {name: getattr(value, name) for name in Exchange.__dataclass_fields__}


def _strings(value: Any) -> Iterator[str]:
    """All strings, keys among them, in an order that does not depend on who wrote them."""
    if isinstance(value, dict):
        for key in sorted(value):
            yield key
            yield from _strings(value[key])
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def _kind_named(value: dict[str, Any]) -> str:
    """Of what an object holds the name: a subscription, management group, tenant or region; "" for all else."""
    identity = str(value.get("id") or "").lower()
    if re.fullmatch(r"/subscriptions/[^/]+", identity):
        return "subscriptions"
    if re.fullmatch(r"/subscriptions/[^/]+/locations/[^/]+", identity):
        return "locations"
    if re.fullmatch(r"/providers/microsoft\.management/managementgroups/[^/]+", identity):
        return "managementgroups"
    return "tenants" if identity.startswith("/tenants/") or "defaultDomain" in value else ""


def _alone(text: str) -> bool:
    """Whether a text is nothing but a GUID, an e-mail address or an IP address."""
    bare = text.partition("/")[0]
    return bool(_GUID.fullmatch(text) or _HEX32.fullmatch(text) or _MAIL.fullmatch(text) or _is_ip(bare))


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_documentation(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if address.version == 6:
        return address in ipaddress.ip_network("2001:db8::/32")
    return str(address).rpartition(".")[0] in _DOCUMENTATION


def _is_plain_header(name: str) -> bool:
    return name.lower() not in ("location", "operation-location", "azure-asyncoperation")


def _is_ours(word: str) -> bool:
    """Whether a word of a message is none of the customer's."""
    return bool(
        _GUID.fullmatch(word)
        or _OWN_NAME.fullmatch(word)
        or _OWN_TOKEN.fullmatch(word)
        or word.lower() in ("api-version", "time-out", "re-run", "x-ms-request-id")
    )


def _dashed(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _without_query(request: Any) -> Any:
    return {key: value for key, value in request.items() if key != "query"} if isinstance(request, dict) else request
