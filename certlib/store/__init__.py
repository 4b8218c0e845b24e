"""The record on disk: the only place that knows SQL.

What it is for: keeping reservations, licences, statuses, keys, batches and the audit chain, on SQLite or PostgreSQL.
What it promises: identifiers, natural keys, public codes and status indices are unique; what `record` returned
survives a power cut; personal values lie encrypted; status and audit change together or not at all.
What it does not do: it judges no request and makes no PDF. Values come in checked and go out as domain values.

Each function of the modules takes the `Store` first and runs one transaction of its own:

    from certlib.store import recording, reserving
    from certlib.store.engine import open_store

    store = open_store("sqlite:////srv/licences/certlib.sqlite", home=home, data_keys=keys, now=now)
    outcomes = reserving.reserve(store, intents, now=now())
    licences = recording.record(store, made, now=now())
"""

from certlib.store.engine import Store, close_store, migrate, open_store
from certlib.store.values import (
    AlreadyIssued,
    Batch,
    BatchCounts,
    Conflicting,
    Intent,
    KeyRecord,
    MadeLicence,
    PublicRow,
    RegisteredType,
    Reserved,
    StatusChange,
)

__all__ = [
    "AlreadyIssued",
    "Batch",
    "BatchCounts",
    "Conflicting",
    "Intent",
    "KeyRecord",
    "MadeLicence",
    "PublicRow",
    "RegisteredType",
    "Reserved",
    "StatusChange",
    "Store",
    "close_store",
    "migrate",
    "open_store",
]
