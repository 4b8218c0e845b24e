"""Acting for another holder: a guardian, an agent, an officer of a company; within a scope, until a day."""

from __future__ import annotations

from certlib.store.delegations import Act, Delegation, DelegationKind

__all__ = ["Act", "Delegation", "DelegationKind"]
