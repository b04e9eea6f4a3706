"""What the account of a `purview` document is to be as a resource of Azure: where, how open, as whom, its tags."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sovereignmesh.mesh.values import Model, RegionName, ResourceId, wrong
from sovereignmesh.mesh.words import found

__all__ = ["ACCOUNT_ID", "AccountResourceWish", "IdentityWish"]

ACCOUNT_ID: Final = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Purview/accounts/([^/]+)", re.IGNORECASE
)
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_GROUP: Final = re.compile(r"[\w().-]{0,89}[\w()-]")
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
_TAG: Final = re.compile(r"[^<>%&\\?/]{1,512}")
_LONGEST_VALUE, _MOST_TAGS = 256, 50


def _group(value: str) -> str:
    if not _GROUP.fullmatch(value):
        rule = "letters, digits, '_', '-', '(', ')' and '.', which is not the last, up to 90 characters"
        raise wrong(f"found {found(value)}, wants the name of a resource group: {rule}")
    return value


def _subscription(value: str) -> str:
    if not _GUID.fullmatch(value):
        raise wrong(f"found {found(value)}, wants the id of a subscription, a GUID")
    return value.lower()


def _identity_id(value: str) -> str:
    if "/providers/microsoft.managedidentity/userassignedidentities/" not in value.lower():
        raise wrong(f"found {found(value)}, wants the resource id of a user-assigned identity")
    return value


def _tag_name(value: str) -> str:
    if not _TAG.fullmatch(value) or value != value.strip():
        raise wrong(f"found {found(value)}, wants a tag's name: up to 512 characters, none of < > % & \\ ? /")
    return value


def _tag_value(value: str) -> str:
    if len(value) > _LONGEST_VALUE:
        raise wrong(f"found {found(value)}, wants a tag's value: up to {_LONGEST_VALUE} characters")
    return value


def _tags(value: dict[str, str]) -> dict[str, str]:
    if len({name.casefold() for name in value}) < len(value):
        raise wrong("found a tag twice: names are compared without case")
    if len(value) > _MOST_TAGS:
        raise wrong(f"found {len(value)} tags, wants at most {_MOST_TAGS}")
    return value


def _as_type(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


GroupName = Annotated[str, AfterValidator(_group)]
SubscriptionId = Annotated[str, AfterValidator(_subscription)]
IdentityId = Annotated[ResourceId, AfterValidator(_identity_id)]
Tags = Annotated[
    dict[Annotated[str, AfterValidator(_tag_name)], Annotated[str, AfterValidator(_tag_value)]], AfterValidator(_tags)
]
IdentityType = Literal["SystemAssigned", "UserAssigned"]


class IdentityWish(Model):
    """As whom an account signs in to what it scans; those that are there and not named stay."""

    type: IdentityType
    user_assigned_identities: Annotated[tuple[IdentityId, ...], Field(strict=False)] = Field(
        (), description="By resource id"
    )

    @model_validator(mode="after")
    def _named(self) -> IdentityWish:
        if self.type == "UserAssigned" and not self.user_assigned_identities:
            raise wrong("'type' UserAssigned wants 'userAssignedIdentities', by their resource ids")
        if self.type == "SystemAssigned" and self.user_assigned_identities:
            raise wrong("found 'userAssignedIdentities' with the 'type' SystemAssigned: they are of UserAssigned")
        return self


class AccountResourceWish(Model):
    """What the account itself is to be. What is left out stays as it is; a new account has Azure's default."""

    location: RegionName = Field(description="Where it keeps metadata; it cannot change")
    resource_group: GroupName | None = Field(
        None, description="Where it is made; required unless `account` is a resource id"
    )
    subscription: SubscriptionId | None = Field(
        None, description="By id; default: that in `account`, or the only one that you see"
    )
    managed_resource_group_name: GroupName | None = Field(
        None, description="Where Purview keeps resources of its own; it cannot change"
    )
    public_network_access: Literal["Enabled", "Disabled", "NotSpecified"] | None = Field(
        None, description="NotSpecified leaves it to the service, which opens it"
    )
    identity: (
        Annotated[IdentityWish, BeforeValidator(_as_type, json_schema_input_type=IdentityType | IdentityWish)] | None
    ) = Field(None, description="A new account without it has SystemAssigned")
    tags: Tags = Field({}, description="Beside these, others stay")
