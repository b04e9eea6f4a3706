"""How Purview's credentials are described, and what the API makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CredentialKind"]


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """How a flat description of a credential becomes the `typeProperties` of its kind.

    `texts` and `secrets` map names in the description to the API's. A secret is named, never written: it lies in the
    key vault whose connection is `keyVault`.
    """

    kind: str
    texts: Mapping[str, str]
    secrets: Mapping[str, str]
    secret_type: str
    store_type: str

    @property
    def fields(self) -> tuple[str, ...]:
        """All names that a description of the kind may have."""
        named = [name for secret in self.secrets for name in (secret, f"{secret}Version")]
        return (*self.texts, *named, *(("keyVault",) if self.secrets else ()))

    def type_properties(self, description: Mapping[str, str]) -> dict[str, Any]:
        """The `typeProperties`: what the description says, and nothing of what it does not.

        >>> from sovereignmesh.facts.purview import credential_kinds
        >>> credential_kinds()["SqlAuth"].type_properties({"user": "reader", "secret": "sql", "keyVault": "kv-sales"})
        ... # doctest: +NORMALIZE_WHITESPACE
        {'user': 'reader', 'password': {'type': 'AzureKeyVaultSecret', 'secretName': 'sql', 'secretVersion': '',
         'store': {'referenceName': 'kv-sales', 'type': 'LinkedServiceReference'}}}
        """
        found: dict[str, Any] = {self.texts[name]: value for name, value in description.items() if name in self.texts}
        for name, spelled in self.secrets.items():
            if name in description:
                found[spelled] = {
                    "type": self.secret_type,
                    "secretName": description[name],
                    "secretVersion": description.get(f"{name}Version", ""),
                    "store": {"referenceName": description.get("keyVault", ""), "type": self.store_type},
                }
        return found

    def description(self, type_properties: Mapping[str, Any]) -> dict[str, str] | None:
        """The flat description that `type_properties` makes these of; None where nothing does."""
        told = {name: type_properties.get(spelled) for name, spelled in self.texts.items()}
        for name, spelled in self.secrets.items():
            secret = type_properties.get(spelled) or {}
            told |= {name: secret.get("secretName"), f"{name}Version": secret.get("secretVersion")}
            told["keyVault"] = (secret.get("store") or {}).get("referenceName") or told.get("keyVault")
        flat = {name: value for name, value in told.items() if isinstance(value, str) and value}
        made = self.type_properties(flat)
        return flat if all(made.get(name) == value for name, value in type_properties.items() if value) else None
