"""Why a judgement came out as it did: the fixed list of reasons, each with its words and, for a failure, its mend.

`Finding.reason` is a code of this list. The words may be improved; a code, once published, stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sovereignmesh.result.checks import Severity, State

__all__ = ["REASONS", "Reason"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: the state that it explains, why it matters, how to mend it, and how bad it is.

    `severity` None: as bad as the check can be (for what is unknown), or not a failure at all.
    """

    state: State
    why: str
    remedy: str
    severity: Severity | None = None


def _fails(severity: Severity, why: str, remedy: str) -> Reason:
    return Reason("non-compliant", why, remedy, severity)


def _unknown(why: str, remedy: str) -> Reason:
    return Reason("unknown", why, remedy)


def _not_applicable(why: str) -> Reason:
    return Reason("not-applicable", why, "")


REASONS: Final[dict[str, Reason]] = {
    "outside-area": _fails(
        "high",
        "Data, a copy of it or its key rests outside the legal area that the policy names.",
        "Move it to an allowed region, or remove the copy; a resource's region cannot be changed in place.",
    ),
    "outside-policy": _fails(
        "medium",
        "It rests inside the legal area, but in a region that the policy or the product does not allow.",
        "Move it to an allowed region, or add the region to allowedRegions, storageLocations or replicaLocations.",
    ),
    "implicit-copy-outside-area": _fails(
        "high",
        "The service keeps a copy outside the legal area and offers no way to switch it off.",
        "Use a region whose pair is inside the area, or one without a pair.",
    ),
    "implicit-copy-outside-policy": _fails(
        "low",
        "The service keeps a copy in a region that the policy does not allow and offers no way to switch it off.",
        "Allow the paired region, or use a region whose pair is allowed or that has no pair.",
    ),
    "edge-cache": _fails(
        "high",
        "Edge locations worldwide may cache the data, outside the EU Data Boundary.",
        "Serve data that must stay in the area from a regional endpoint instead.",
    ),
    "platform-key": _fails(
        "medium",
        "The data is encrypted with a key that Microsoft holds; whoever must control the key cannot.",
        "Configure a customer-managed key from a key vault in an allowed region.",
    ),
    "sku-without-keys": _fails(
        "medium",
        "This SKU or kind cannot hold a customer-managed key.",
        "Choose a SKU that can hold a customer-managed key.",
    ),
    "public-network": _fails(
        "medium",
        "The data can be reached from public networks.",
        "Disable public network access, or deny by default and allow chosen networks.",
    ),
    "no-private-endpoint": _fails(
        "medium",
        "No approved private endpoint: traffic to the data leaves the private network.",
        "Create a private endpoint and approve its connection.",
    ),
    "processed-anywhere": _fails(
        "high",
        "The data may be processed in any region of the world.",
        "Deploy with a type that stays in a data zone or a geography whose regions the policy allows.",
    ),
    "processed-in-zone": _fails(
        "medium",
        "The data may be processed in any region of the data zone, of which the policy allows only some.",
        "Allow the regions of the zone, or deploy with a type that stays in the geography, if the policy allows that.",
    ),
    "processed-in-geography": _fails(
        "medium",
        "The data may be processed in any region of the resource's geography, of which the policy allows only some.",
        "Allow the regions of the geography, or waive it: no deployment type is bound to one region.",
    ),
    "not-encrypted": _fails(
        "medium",
        "The data at rest is not encrypted at all, with no key of anybody's.",
        "Switch transparent data encryption on.",
    ),
    "key-disabled": _fails(
        "medium",
        "The key is disabled: what it encrypts cannot be read, or will not be once the service looks at it again.",
        "Enable the key, or move what it encrypts to another.",
    ),
    "key-expired": _fails(
        "medium",
        "The key has expired: services may refuse to use it, and nobody renews it.",
        "Rotate the key and set a rotation policy.",
    ),
    "key-not-in-hardware": _fails(
        "medium",
        "The policy wants keys in hardware, and this one is held in software.",
        "Create the key with an HSM-backed type (RSA-HSM) in a Premium vault, or in a managed HSM.",
    ),
    "key-version-pinned": _fails(
        "low",
        "The resource names one version of its key, so that it does not follow when the key is rotated.",
        "Refer to the key without its version, or switch on automatic rotation.",
    ),
    "no-purge-protection": _fails(
        "medium",
        "The vault's keys can be deleted for good before their retention ends, and with them the data.",
        "Enable purge protection; it cannot be switched off again.",
    ),
    "tag-missing": _fails(
        "low", "Without the tag nobody can tell whose data this is and what rules it is under.", "Set the tag."
    ),
    "tag-not-allowed": _fails(
        "low", "The tag's value is none that the policy allows, so it decides nothing.", "Set an allowed value."
    ),
    "no-description": _fails(
        "low",
        "Who needs the data cannot tell what this is, and who answers for it cannot judge it.",
        "Give the product a description and run `catalog apply`, or describe the asset in Purview.",
    ),
    "no-owner": _fails(
        "low",
        "Nobody is named who answers for the asset; the technical owner at the source is not who answers for it.",
        "Run `catalog apply`, which takes the product's owner, or name an Owner contact in Purview.",
    ),
    "no-label": _fails(
        "low",
        "Without a sensitivity label nobody downstream knows how the data is to be handled.",
        "Label the data at its source, or by an auto-labeling policy and a scan: no API of the Data Map sets one.",
    ),
    "classified-against-product": _fails(
        "medium",
        "The product says that it has no such data, and a scan has found it: consumers get what no contract allows.",
        "Take the data out, or correct the product: piiHandling, or allowedClassifications of the contract.",
    ),
    "missing-property": _unknown(
        "The body lacks the property that would tell, and no documentation says what its absence means.",
        "Check the resource by hand.",
    ),
    "no-properties": _unknown(
        "The body has no properties object, so nothing inside it could be judged.",
        "Export the resource with its properties.",
    ),
    "unrecognised-value": _unknown(
        "The property has a value that the fact tables do not know.",
        "Check the resource by hand, and report the value so that the table can learn it.",
    ),
    "older-api-version": _unknown(
        "The row was read with an api-version in which the property does not exist yet.",
        "Check the resource by hand, or read it through ARM with a newer api-version.",
    ),
    "no-api-version": _unknown(
        "The property exists only in newer api-versions, and the row does not say with which it was read.",
        "Export the column apiVersion too.",
    ),
    "key-type-unknown": _unknown(
        "The policy wants keys in hardware; a vault holds both kinds, and only the key itself says which it is.",
        "Check the key's type, or hold it in a managed HSM.",
    ),
    "needs-child-read": _unknown(
        "Only a child resource tells, and a list of resources does not show it.",
        "Audit the subscription at full depth, or check the child resource by hand.",
    ),
    "no-reference-seen": _unknown(
        "Nothing that was read refers to it, but not everything that may was read, or says what it refers to.",
        "Audit the subscriptions of those who use it too, or give it the protection in any case.",
    ),
    "child-not-read": _unknown(
        "Only a child resource tells, and it could not be read.",
        "See why in `actual`; the role Reader at the subscription suffices.",
    ),
    "not-before-deployment": _unknown(
        "The value is not known before deployment.", "Audit again after deployment, or write the value in the template."
    ),
    "not-translated": _unknown(
        "The plan may say it in the provider's words, which are not translated for this property.",
        "Audit again after deployment, or write the resource with azapi.",
    ),
    "auto-resolve": _unknown(
        "The service chooses at run time where it processes, by where the data comes from or goes to.",
        "Name a region, or use a managed virtual network, which keeps it in the resource's own.",
    ),
    "third-party-destination": _unknown(
        "The logs go to a partner's service, and no property tells where that keeps them.",
        "Check with the partner where the logs are kept, or waive it with a reason.",
    ),
    "no-location": _unknown("The body has no location.", "Export the resource with its location."),
    "unknown-location": _unknown(
        "The location is no region that is known.", "Check where the resource is; report a region that is new."
    ),
    "no-pair": _unknown(
        "The copy goes to the paired region, and none is documented for this region.",
        "Check by hand where the copy is.",
    ),
    "global-unknown": _unknown(
        "The service is global and no property tells where it keeps data.",
        "Check the service's data residency page.",
    ),
    "edge-cache-possible": _unknown(
        "Edge locations worldwide may cache the data, outside the EU Data Boundary.",
        "Check what is cached; set implicitReplicas to deny to refuse edge caches.",
    ),
    "not-in-inventory": _unknown(
        "It points to a resource that is not in the inventory: another subscription or tenant.",
        "Read the subscription that it is in as well, or add it to the export.",
    ),
    "tag-support-unknown": _unknown(
        "It has no tags, and no documentation says whether its type supports them.",
        "Set the tags if the type supports them.",
    ),
    "asset-not-read": _unknown(
        "The search index lacks it, and the asset itself, which would tell, could not be read.",
        "See why in `actual`; the role Data Reader in the collection suffices.",
    ),
    "columns-not-read": _unknown(
        "Its columns are not told, or a classification is of none of those that are: whether it is against what the "
        "product says is not known.",
        "Scan the source again; then look at the asset's schema in the portal.",
    ),
    "label-support-unknown": _unknown(
        "It has no label, and no documentation says whether assets of its type can carry one.",
        "Check whether its source supports labels; report the type so that the table can learn it.",
    ),
    "wide-place": _unknown(
        "The property names a geography wider than the allowed regions; nothing says where in it the data is.",
        "Check the service's data residency page, or waive it with a reason.",
    ),
    "no-customer-data": _not_applicable("It holds no customer data."),
    "documented-exception": _not_applicable("The check does not concern this kind or SKU."),
    "no-copy": _not_applicable("No such copy is configured."),
    "no-children": _not_applicable("Only its children could tell, and it has none."),
    "no-expiry": _not_applicable("The key does not expire."),
    "no-customer-key": _not_applicable("No customer-managed key is configured, so no vault holds it."),
    "held-elsewhere": _not_applicable("The key is held, and counted, at another resource."),
    "managed": _not_applicable("A managed resource group: it counts for the resource that owns it."),
    "no-tag-support": _not_applicable("The type does not support tags."),
    "in-parent": _not_applicable("A child without a location is where its parent is, which is judged itself."),
    "no-label-support": _not_applicable("Assets of its type cannot carry a sensitivity label."),
    "no-classification-limit": _not_applicable("No product that it belongs to limits what may be found in it."),
    "no-wish": _not_applicable("The policy asks nothing of the kind of this domain."),
    "container": _not_applicable("A subscription has no region of its own."),
}
