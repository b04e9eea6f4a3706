"""Purview's data plane: which account is asked, who may ask it what, and which part of it answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.purview import (
    connections,
    entities,
    entity_writes,
    lineage,
    policies,
    requests,
    rules,
    runs,
    search,
    sources,
    tree,
    triggers,
    typedefs,
    unified,
    workflows,
)
from sovereignmesh.sandbox.purview.account import COLLECTIONS, Account, Route, timestamp
from sovereignmesh.sandbox.purview.answers import closed, denied, purview_refusal
from sovereignmesh.sandbox.purview.assets import give_assets
from sovereignmesh.sandbox.wire import PURVIEW, UNIFIED, Call, Refusal, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sovereignmesh.sandbox.estate import Estate
    from sovereignmesh.sandbox.store import Record, Store

__all__ = ["Purview"]

_ROUTES: Final = tuple(
    route
    for part in (
        tree, policies, sources, runs, triggers, rules, connections, typedefs, entities, entity_writes, lineage, search,
        workflows, requests,
    )
    for route in part.ROUTES
)  # fmt: skip
# The versions of each part, by the beginning of its paths; the last is the account's own.
_VERSIONS: Final = (
    ("/scan/", "2023-09-01"),
    ("/policystore/", "2021-07-01-preview"),
    ("/datamap/", "2023-09-01"),
    ("/workflow/", "2023-10-01-preview"),
    ("/datagovernance/", "2026-03-20-preview"),
    ("/", "2019-11-01-preview"),
)
_UNVERSIONED: Final = "/datamap/api/atlas/"  # the specification asks for no version here
_ALL_ROLES: Final = ("collection-administrator", "data-source-administrator", "data-curator", "purview-reader")
_WORKFLOW: Final = "/workflow/"
_GIVEN_AT: Final = "2025-03-12T08:15:42.1734561Z"  # what comes with an estate
_HOST: Final = re.compile(rf"(?P<account>[a-z0-9-]+){re.escape(PURVIEW)}")


class Purview:
    """Answers calls to `ACCOUNT.purview.azure.com`, where the store has that account, and to the Unified Catalog."""

    def __init__(self, estate: Estate, store: Store, page_size: int, clock: Callable[[], float]) -> None:
        self._estate, self._store, self._page_size, self._clock = estate, store, page_size, clock
        self._pending: dict[str, list[float]] = {}
        for record in store.accounts.values():
            self._give(record)
        store.restore_objects()
        for record in store.accounts.values():
            self._give_base(self._account(record, _GIVEN_AT))  # an account that was deleted and made again

    def has(self, host: str) -> bool:
        """Whether a host is that of an account, or the Unified Catalog's."""
        return host == UNIFIED or self._record(host) is not None

    def answer(self, call: Call) -> Reply:
        """The answer to a call. Raises Refusal for one that Purview would refuse."""
        if call.host == UNIFIED:
            return self._answer(self._unified(), call, unified.ROUTES)
        record = self._record(call.host)
        assert record is not None, "the host of an account"
        account = self._account(record, timestamp())
        self._give_base(account)  # it may have been made after the sandbox was opened
        if str(record.body.get("properties", {}).get("publicNetworkAccess")).lower() == "disabled":
            raise closed(account.name)
        return self._answer(account, call, _ROUTES)

    def _answer(self, account: Account, call: Call, routes: Sequence[Route]) -> Reply:
        if not account.roles:
            raise denied()
        self._check_catalog(account, call)
        route, names = _find(call, routes)
        supported = _check_version(call)
        if route.needs and not route.needs & account.roles:
            raise denied()
        self._store.objects.lagging = call.lagging
        reply = route.answer(account, call, names)
        self._store.save_objects()
        reply.headers |= {"Server": "Kestrel", "api-supported-versions": supported}
        return reply

    def _unified(self) -> Account:
        """The account that keeps the tenant's Unified Catalog. Raises Refusal where none does."""
        given = self._estate.purview
        names = (
            name for name, account in given.items() if account.catalog == "unified" and name in self._store.accounts
        )
        name = next(names, None)
        if name is None:
            raise unified.no_catalog()
        return self._account(self._store.accounts[name], timestamp())

    def _record(self, host: str) -> Record | None:
        found = _HOST.fullmatch(host)
        return self._store.accounts.get(found["account"]) if found else None

    def _account(self, record: Record, now: str) -> Account:
        return Account(
            record,
            self._store.objects,
            self._estate.principal["id"],
            frozenset(self._roles(record)),
            self._page_size,
            self._clock,
            self._pending,
            now,
        )

    def _roles(self, record: Record) -> tuple[str, ...]:
        """The caller's roles: the estate says; whoever makes an account has all of them, as was recorded."""
        given = self._estate.purview.get(record.id.rpartition("/")[2].lower())
        if given is not None:
            return given.roles
        return () if self._store.is_given(record) else _ALL_ROLES

    def _check_catalog(self, account: Account, call: Call) -> None:
        """Raises Refusal for what an account on the Unified Catalog has not. That it is a 404 is synthetic."""
        given = self._estate.purview.get(account.name)
        if given is not None and given.catalog == "unified" and call.path.lower().startswith(_WORKFLOW):
            raise _no_resource()

    def _give_base(self, account: Account) -> None:
        if account.get(COLLECTIONS, account.name) is None:
            tree.give_root(account)
            typedefs.give_types(account)

    def _give(self, record: Record) -> None:
        """Makes what an estate has in an account; it is sent as a client would, and counts as not written."""
        account = self._account(record, _GIVEN_AT)
        self._give_base(account)
        given = self._estate.purview.get(account.name)
        for path, body in given.objects if given else ():
            version = next(version for start, version in _VERSIONS if path.lower().startswith(start))
            method = "POST" if path.lower().startswith("/datamap/") else "PUT"
            call = Call(
                method, f"{account.name}{PURVIEW}", path, {"api-version": version}, {}, orjson.dumps(body)
            )  # fmt: skip
            try:
                route, names = _find(call, _ROUTES)
                route.answer(account, call, names)
            except Refusal as refusal:
                raise SandboxError(f"estate {self._estate.name}: {path}: {refusal.reply.body.decode()}") from None
        if given:
            give_assets(account, given.assets)
            runs.give_runs(account, given.runs)
        self._pending.clear()
        self._store.objects.forget_changes()


def _find(call: Call, routes: Sequence[Route]) -> tuple[Route, dict[str, str]]:
    allowed = []
    for route in routes:
        found = route.pattern.fullmatch(call.path)
        if found is None:
            continue
        if route.method == call.method:
            return route, found.groupdict()
        allowed.append(route.method)
    if not allowed:
        raise _no_resource()
    raise purview_refusal(
        405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported at '{call.path}'."
    )


def _no_resource() -> Refusal:
    # The code is recorded: https://github.com/MicrosoftDocs/azure-docs/issues/112434
    return purview_refusal(404, "ResourceNotFound", "Resource not found")


def _check_version(call: Call) -> str:
    """The version of what a call asks for. Raises Refusal where it asks for another, in ASP.NET's words."""
    path, given = call.path.lower(), call.query.get("api-version")
    supported = next(version for start, version in _VERSIONS if path.startswith(start))
    if not given and not path.startswith(_UNVERSIONED):
        raise purview_refusal(400, "ApiVersionUnspecified", "An API version is required, but was not specified.")
    if given and given != supported:
        raise purview_refusal(
            400,
            "UnsupportedApiVersion",
            f"The HTTP resource that matches the request URI 'https://{call.host}{call.path}' does not support the "
            f"API version '{given}'.",
        )
    return supported
