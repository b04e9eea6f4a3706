"""`accessControl` as workflows: who asks for access to a domain's data waits until one of its approvers says yes."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.mesh.words import did_you_mean, listed
from sovereignmesh.plan import Item, Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sovereignmesh.azure.purview import Purview, Workflow
    from sovereignmesh.azure.sdk import Facts
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.purview.tree import Tree
    from sovereignmesh.result import Problem

__all__ = [
    "AccessWorkflows", "asks_approval", "compile_workflows", "domain_of", "exactly", "no_service", "workflow_id",
]  # fmt: skip

_NAME: Final = "Access to data of "
_APPROVAL: Final = "Start and wait for an approval"
# What is recorded of a workflow with an approval (azure-sdk-for-js, purview-workflow-rest, "create a workflow"): types
# of actions, the outcome and who asked. `GrantDataAccess` as an action, and the trigger with a collection, are in the
# specification as words alone, the action also in public code (ahmedashraffcih/purview-api-guide): unverified-live.
_OUTCOME: Final = f"@outputs('{_APPROVAL}')['body/outcome']"
_REQUESTOR: Final = "@{triggerBody()['request']['requestor']}"
_WHERE: Final = (
    "workflows are of the classic Data Catalog: whether the account's people ask for access there, or in the Unified "
    "Catalog, which has workflows of its own, no API says"
)
_SERVICES: Final = "runtimeConfiguration"  # which it adds of its own, as was recorded


def workflow_id(account: str, domain: str) -> str:
    """The id of the workflow of a domain in the account with a resource id: always the same one.

    >>> workflow_id("/subscriptions/1/a", "Sales") == workflow_id("/Subscriptions/1/A", "sales")
    True
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account.casefold()}/access/{domain.casefold()}"))


def domain_of(account: str, workflow: Workflow) -> str | None:
    """The domain whose workflow this is, where it is one of ours: name and id say the same."""
    domain = workflow.name.removeprefix(_NAME)
    ours = workflow.name != domain and workflow.id.lower() == workflow_id(account, domain)
    return domain if ours else None


def asks_approval(mesh: Mesh) -> bool | None:
    """Whether access needs an approval; None where the mesh says nothing of it, and workflows are left alone."""
    control = mesh.policies.access_control if mesh.policies else None
    return None if control is None else control.require_approval


def no_service(account: str, why: str) -> str:
    """What is to be said of an account whose service of workflows answers that it is not there.

    Only the service itself tells. https://learn.microsoft.com/purview/unified-catalog-workflows: the Unified Catalog
    has workflows of its own; its API (https://learn.microsoft.com/rest/api/purview/unified-catalog-api-overview) has
    none. That it is a 404 there is documented nowhere.
    """
    return (
        f"the account {account} has no workflows of the classic Data Catalog ({why}): in the Unified Catalog requests "
        "are approved by workflows of its own, which no API writes; set 'requireApproval: false' and make them in the "
        "portal, or name an account that has them"
    )


def compile_workflows(mesh: Mesh, tree: Tree) -> Iterator[Item | Problem | str]:
    """A workflow for each domain with a collection; what is wrong with the approvers, and which domains have none."""
    document = mesh.policies_document
    if not asks_approval(mesh) or document is None:
        return
    path = ("accessControl", "approvers")
    control = document.model.access_control
    names = control.approvers if control else ()
    if not names:
        yield document.problem(("accessControl",), "access needs an approval, and there is nobody in 'approvers'")
        return
    yield _WHERE
    bare = []
    for domain in mesh.domains:
        collection = tree.find(domain)
        if collection is None:
            bare.append(domain)
            continue
        approvers: dict[str, None] = {}
        for at, name in enumerate(names):
            known = mesh.object_id_of(name, domain)
            if known is None:
                wanted = f"'{name}' of the domain {domain}" if name.endswith("@domain") else f"'{name}'"
                near = did_you_mean(name.removesuffix("@domain") + f"@{domain}", mesh.directory)
                message = f"nobody knows who {wanted} is: give the object id in a `directory` document{near}"
                yield document.problem((*path, at), message)
            else:
                approvers[known] = None
        needs = frozenset({Key("collection", collection)})
        body = _body(domain, collection, sorted(approvers))
        yield Item("workflow", domain, body, needs, str(document.locate("accessControl")))
    if bare:
        yield f"no workflow approves access to data of {listed(bare)}: the account has no collection of that name"


def _body(domain: str, collection: str, approvers: list[str]) -> dict[str, Any]:
    """The workflow as it is sent: asks the approvers, any of whom decides, then grants the access or says no."""
    asked = f"Access to data of {domain}"
    return {
        "name": f"{_NAME}{domain}",
        "description": "The approvers are those of the data mesh's policy",
        "isEnabled": True,
        "triggers": [{"type": "when_data_access_grant_is_requested", "underCollection": collection}],
        "actionDag": {
            "actions": {
                _APPROVAL: {
                    "type": "Approval",
                    "inputs": {"parameters": {"approvalType": "PendingOnAny", "title": asked, "assignedTo": approvers}},
                    "runAfter": {},
                },
                "Condition": {
                    "type": "If",
                    "expression": {"and": [{"equals": [_OUTCOME, "Approved"]}]},
                    "actions": {
                        "Grant access": {"type": "GrantDataAccess", "runAfter": {}},
                        "Tell that it is granted": _mail(asked, "granted", {"Grant access": ["Succeeded"]}),
                    },
                    "else": {"actions": {"Tell that it is rejected": _mail(asked, "rejected", {})}},
                    "runAfter": {_APPROVAL: ["Succeeded"]},
                },
            }
        },
    }


def _mail(asked: str, what: str, after: dict[str, list[str]]) -> dict[str, Any]:
    told = {
        "emailSubject": f"{asked}: {what}",
        "emailMessage": f"{asked}, for which you asked, is {what}.",
        "emailRecipients": [_REQUESTOR],
    }
    return {"type": "EmailNotification", "inputs": {"parameters": told}, "runAfter": after}


def exactly(item: Item, there: Item | None) -> Item:
    """The wish with each action that is there and not in it as None: beside ours, none may grant anything."""
    if item.kind != "workflow" or there is None:
        return item
    graph, found = item.body["actionDag"], there.body.get("actionDag")
    whole = _without_more(graph, found) if isinstance(found, dict) else graph
    return dataclasses.replace(item, body={**item.body, "actionDag": whole})


def _without_more(wish: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {name: None for name in found if name not in wish and name != _SERVICES}
    for name, value in wish.items():
        inside = found.get(name)
        both = isinstance(value, dict) and isinstance(inside, dict)
        told[name] = _without_more(value, inside) if both and inside is not None else value
    return told


class AccessWorkflows:
    """The workflows of domains in an account, each by the name of its domain."""

    def __init__(self, purview: Purview) -> None:
        self._purview = purview

    def body(self, domain: str) -> Facts:
        """The workflow of a domain as the service words it. Raises NotFoundError where there is none."""
        return self._purview.workflows.body(self._id(domain))

    def write(self, body: dict[str, Any], domain: str) -> Facts:
        """Writes the body; what came of it."""
        return self._purview.workflows.write(body, self._id(domain))

    def delete(self, domain: str) -> None:
        """Removes it; what is not there is removed already."""
        self._purview.workflows.delete(self._id(domain))

    def domains(self) -> Iterator[str]:
        """The domains whose workflows of ours the account lists."""
        account = self._purview.account.id
        found = (domain_of(account, workflow) for workflow in self._purview.workflows.list())
        return (domain for domain in found if domain is not None)

    def _id(self, domain: str) -> str:
        return workflow_id(self._purview.account.id, domain)
