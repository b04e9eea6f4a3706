"""The credential of the sandbox: its tokens are good there and nowhere else."""

from __future__ import annotations

import time
from typing import Any, Final

from azure.core.credentials import AccessToken

__all__ = ["SandboxCredential"]

_LIFE: Final = 3600  # seconds


class SandboxCredential:
    """Gives tokens for the sandbox; the nth is `sandbox-n`."""

    def __init__(self) -> None:
        self._given = 0

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token for any scope."""
        assert scopes, "a token is for something"
        self._given += 1
        return AccessToken(f"sandbox-{self._given}", int(time.time()) + _LIFE)

    def close(self) -> None:
        """Nothing is open."""
