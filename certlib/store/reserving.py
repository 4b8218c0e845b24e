"""Transaction A of an issuance: identifier, codes, status index and the full intent, before anything is rendered."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, NotFoundError, OwnFaultError, UnavailableError
from certlib.identifiers import public_code
from certlib.store import audits
from certlib.store.blobs import add_bundle, read_piece, write_bundle
from certlib.store.converting import (
    content,
    content_digest,
    differing,
    holder_index,
    image_binding,
    licence_value,
    opened_content,
    reserved_value,
    sealed_content,
)
from certlib.store.engine import reading, writing
from certlib.store.numbering import numbered
from certlib.store.tables import AGENCY, ALLOTMENT, BUNDLE, LICENCE, LICENCE_HOLDER, LICENCE_IMAGE, LICENCE_TYPE
from certlib.store.values import AlreadyIssued, Conflicting, Intent, Reserved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.identifiers import LicenceIdentifier
    from certlib.store.engine import Store

    Key = tuple[str, str, str, int] | tuple[str, str]

SHARD_BITS: Final = 20
"""A status list holds 2^20 licences; at most half are given, so a random probe hits at every second try or better."""
SHARD_CAPACITY: Final = 1 << (SHARD_BITS - 1)
_ATTEMPTS: Final = 10
_NOT_VOID: Final = text("state <> 'void'")
"""Word for word the condition of the partial indexes: a bound value would not let the planner use them."""
_HAS_REQUEST_ID: Final = text("request_id <> '' AND state <> 'void'")
_SWEEP_ROWS: Final = 200

Outcome = Reserved | AlreadyIssued | Conflicting


def reserve(store: Store, intents: Sequence[Intent], *, now: datetime) -> list[Outcome]:
    """One outcome per intent, in the order given; all reservations together in one transaction.

    * the same content under the same natural key: `Reserved` (resumed) if it is prepared, else `AlreadyIssued`;
    * other content under the same natural key or request id: `Conflicting`;
    * nothing there: `Reserved`, new. The second of two equal intents in the list is `Reserved` again, with the
      same identifier and `resumed` set.

    Raises:
        NotFoundError: code `agency_not_found` or `type_not_found`: the agency or type version is not registered.
        ConflictError: code `type_changed`: the type's folder is not the one that was registered.
        UnavailableError: the database or the disk does not take it now; nothing was reserved.
    """
    last: IntegrityError | None = None
    for _attempt in range(_ATTEMPTS):
        try:
            with writing(store) as conn:
                return _Run(store=store, conn=conn, now=now.replace(microsecond=0)).outcomes(intents)
        except IntegrityError as error:  # somebody else was quicker, or a random value was taken: look again
            last = error
    raise UnavailableError("the reservation met others' again and again; try later") from last


def prepared(store: Store, *, older_than: datetime) -> Iterator[Reserved]:
    """The reservations made before `older_than` that were neither recorded nor voided, oldest first."""
    after, after_id = None, 0
    while True:
        query = select(LICENCE).where(text("state = 'prepared'"), LICENCE.c.issued_at < older_than)
        if after is not None:
            same = (LICENCE.c.issued_at == after) & (LICENCE.c.id > after_id)
            query = query.where((LICENCE.c.issued_at > after) | same)
        with reading(store) as conn:
            rows = conn.execute(query.order_by(LICENCE.c.issued_at, LICENCE.c.id).limit(_SWEEP_ROWS)).mappings().all()
        for row in rows:
            yield reserved_value(store.cipher, row, images_of(store, row["id"], row["identifier"]))
        if len(rows) < _SWEEP_ROWS:
            return
        after, after_id = rows[-1]["issued_at"], rows[-1]["id"]


def void(store: Store, identifier: str, *, reason: str, operator: str, now: datetime) -> None:
    """Give up a reservation. Its identifier, code and index stay taken for ever; the natural key is free again.

    Raises:
        NotFoundError: no such reservation.
        ConflictError: code `already_recorded` if it was issued, `already_void` if it was given up before.
    """
    with writing(store) as conn:
        row = conn.execute(
            select(LICENCE.c.id, LICENCE.c.state).where(LICENCE.c.identifier == identifier).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFoundError(f"{identifier}: nothing is reserved under it")
        if row.state != "prepared":
            code = "already_recorded" if row.state == "issued" else "already_void"
            raise ConflictError(f"{identifier} is {row.state}", identifier=identifier, code=code)
        conn.execute(update(LICENCE).where(LICENCE.c.id == row.id).values(state="void"))
        entry = audits.Entry(actor=operator, act="licence.voided", subject=identifier, detail={"reason": reason})
        audits.append(conn, [entry], at=now)


def images_of(store: Store, licence_id: int, identifier: str) -> dict[str, bytes]:
    """The images of a licence by field, as they were given.

    Raises:
        OwnFaultError: code `blob_missing`.
        OwnFaultError: code `unreadable_record`.
    """
    query = (
        select(LICENCE_IMAGE, BUNDLE.c.name)
        .join(BUNDLE, BUNDLE.c.id == LICENCE_IMAGE.c.bundle)
        .where(LICENCE_IMAGE.c.licence_id == licence_id)
    )
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    return {
        row["field"]: store.cipher.open(
            read_piece(store.home, row["name"], row["offset_bytes"], row["length"]),
            image_binding(identifier, row["field"]),
            row["key_id"],
        )
        for row in rows
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fresh:
    """An intent that gets a new reservation."""

    intent: Intent
    content: dict[str, Any]
    digest: bytes
    identifier: LicenceIdentifier
    serial: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """One run of the transaction."""

    store: Store
    conn: Connection
    now: datetime

    def outcomes(self, intents: Sequence[Intent]) -> list[Outcome]:
        if not intents:
            return []
        # The lock comes first: whoever reserves after us then sees what we reserved.
        allotment = self.conn.execute(select(ALLOTMENT).with_for_update()).mappings().one_or_none()
        if allotment is None:
            raise OwnFaultError("the database has no allotment row; was it migrated?")
        self._require_registered(intents)
        standing = self._standing(intents)
        fresh: dict[LicenceIdentifier, _Fresh] = {}
        judged: list[AlreadyIssued | Conflicting | Reserved | _Fresh] = []
        for intent in intents:
            one = self._judged(intent, standing)
            judged.append(one)
            if isinstance(one, _Fresh) and one.identifier not in fresh:
                fresh[one.identifier] = one
                standing.update(dict.fromkeys(_keys(intent), one))
        reserved = self._insert(list(fresh.values()), allotment)
        outcomes: list[Outcome] = []
        for one in judged:
            if isinstance(one, _Fresh):
                outcomes.append(reserved[one.identifier])
                reserved[one.identifier] = replace(reserved[one.identifier], resumed=True)
            else:
                outcomes.append(one)
        return outcomes

    def _require_registered(self, intents: Sequence[Intent]) -> None:
        agencies = {intent.request.agency_code for intent in intents}
        known = set(self.conn.execute(select(AGENCY.c.code).where(AGENCY.c.code.in_(agencies))).scalars())
        if missing := sorted(agencies - known):
            raise NotFoundError(f"agency {missing[0]} is not in this library", code="agency_not_found")
        used = {(each.request.type_code, each.type_version, each.type_digest) for each in intents}
        for code, version, digest in sorted(used):
            this = (LICENCE_TYPE.c.code == code) & (LICENCE_TYPE.c.version == version)
            row = self.conn.execute(
                select(LICENCE_TYPE.c.digest, LICENCE_TYPE.c.first_used_at).where(this)
            ).one_or_none()
            if row is None:
                raise NotFoundError(f"type {code} v{version} is not registered", code="type_not_found")
            if row.digest != digest:
                message = f"the folder of type {code} v{version} was changed since it was registered"
                raise ConflictError(message, code="type_changed")
            if row.first_used_at is None:
                self.conn.execute(update(LICENCE_TYPE).where(this).values(first_used_at=self.now))

    def _standing(self, intents: Sequence[Intent]) -> dict[Key, RowMapping | _Fresh]:
        """The rows that stand under any of the keys, whole blocks at once."""
        numbers: dict[tuple[str, str, int], set[str]] = {}
        request_ids: dict[str, set[str]] = {}
        for intent in intents:
            request = intent.request
            numbers.setdefault((request.agency_code, request.type_code, request.version), set()).add(request.number)
            if request.request_id:
                request_ids.setdefault(request.agency_code, set()).add(request.request_id)
        rows: list[RowMapping] = []
        for (agency, type_code, version), group in numbers.items():
            query = select(LICENCE).where(
                LICENCE.c.agency_code == agency,
                LICENCE.c.type_code == type_code,
                LICENCE.c.number.in_(group),
                LICENCE.c.version == version,
                _NOT_VOID,
            )
            rows += self.conn.execute(query).mappings()
        for agency, ids in request_ids.items():
            query = select(LICENCE).where(
                LICENCE.c.agency_code == agency, LICENCE.c.request_id.in_(ids), _HAS_REQUEST_ID
            )
            rows += self.conn.execute(query).mappings()
        found: dict[Key, RowMapping | _Fresh] = {}
        for row in rows:
            found[row["agency_code"], row["type_code"], row["number"], row["version"]] = row
            if row["request_id"]:
                found[row["agency_code"], row["request_id"]] = row
        return found

    def _judged(
        self, intent: Intent, standing: dict[Key, RowMapping | _Fresh]
    ) -> AlreadyIssued | Conflicting | Reserved | _Fresh:
        """What becomes of one intent; the request id is asked before the natural key."""
        cipher = self.store.cipher
        wanted = content(intent.request)
        digest = content_digest(cipher, wanted)
        stands = next((standing[key] for key in reversed(_keys(intent)) if key in standing), None)
        if stands is None:
            return self._fresh(intent, wanted, digest)
        if isinstance(stands, _Fresh):
            if stands.digest == digest:
                return stands
            return Conflicting(identifier=stands.identifier, differs=differing(stands.content, wanted))
        if stands["content_digest"] != digest:
            differs = differing(opened_content(cipher, stands), wanted)
            return Conflicting(identifier=stands["identifier"], differs=differs)
        if stands["state"] == "issued":
            return AlreadyIssued(licence=licence_value(cipher, stands))
        return reserved_value(cipher, stands, intent.request.images)

    def _fresh(self, intent: Intent, wanted: dict[str, Any], digest: bytes) -> _Fresh:
        serial_part, identifier = numbered(self.conn, intent, secrets.token_bytes(8))
        return _Fresh(intent=intent, content=wanted, digest=digest, identifier=identifier, serial=serial_part)

    def _insert(self, fresh: list[_Fresh], allotment: RowMapping) -> dict[LicenceIdentifier, Reserved]:
        if not fresh:
            return {}
        shard, indices = self._allotted(allotment, len(fresh))
        first_id = allotment["next_licence_id"]
        rows, holders, made = [], [], {}
        for licence_id, (each, index) in enumerate(zip(fresh, indices, strict=True), first_id):
            reserved = Reserved(
                intent=each.intent,
                identifier=each.identifier,
                public_code=public_code(secrets.token_bytes(16)),
                status_list_uri=f"{self.store.status_list_url}{shard}",
                status_index=index,
                issued_at=self.now,
                resumed=False,
            )
            made[each.identifier] = reserved
            rows.append(self._row(each, reserved, licence_id, shard))
            holders += [
                {
                    "licence_id": licence_id,
                    "position": place,
                    "code_index": holder_index(self.store.cipher, holder.code),
                }
                for place, holder in enumerate(each.intent.request.holders)
                if holder.code
            ]
        self.conn.execute(insert(LICENCE), rows)
        if holders:
            self.conn.execute(insert(LICENCE_HOLDER), holders)
        self._keep_images(fresh, first_id)
        return made

    def _allotted(self, allotment: RowMapping, count: int) -> tuple[int, list[int]]:
        """A shard and `count` random indices in it that nobody has. What is full is known from a counter."""
        shard, taken = allotment["shard"], allotment["taken"]
        if taken + count > SHARD_CAPACITY:
            shard, taken = shard + 1, 0
        indices: dict[int, None] = {}
        while len(indices) < count:
            # A dict keeps the random order; a set would order small numbers and tell who came next to whom.
            probes = dict.fromkeys(secrets.randbits(SHARD_BITS) for _ in range(2 * (count - len(indices))))
            query = select(LICENCE.c.status_index).where(
                LICENCE.c.status_shard == shard, LICENCE.c.status_index.in_(list(probes))
            )
            given = set(self.conn.execute(query).scalars())
            indices.update((probe, None) for probe in probes if probe not in given)
        next_id = allotment["next_licence_id"] + count
        self.conn.execute(update(ALLOTMENT).values(next_licence_id=next_id, shard=shard, taken=taken + count))
        return shard, list(indices)[:count]

    def _row(self, fresh: _Fresh, reserved: Reserved, licence_id: int, shard: int) -> dict[str, Any]:
        cipher, intent, request = self.store.cipher, fresh.intent, fresh.intent.request
        return {
            "id": licence_id,
            "identifier": fresh.identifier,
            "public_code": reserved.public_code,
            "state": "prepared",
            "status": None,
            "issued_on": request.issued_on,
            "effective_on": request.effective_on,
            "expires_on": request.expires_on,
            "timezone": "",
            "agency_code": request.agency_code,
            "type_code": request.type_code,
            "number": request.number,
            "version": request.version,
            "identifier_scheme": str(intent.identifier_scheme),
            "identifier_root": intent.identifier_root,
            "type_segment": intent.type_segment,
            "agency_segment": intent.agency_segment,
            "serial": fresh.serial,
            "status_shard": shard,
            "status_index": reserved.status_index,
            "status_list_uri": reserved.status_list_uri,
            "type_version": intent.type_version,
            "type_digest": intent.type_digest,
            "area_code": request.area_code,
            "request_id": request.request_id,
            "batch": request.batch,
            "operator": request.operator,
            "previous_identifier": request.previous_identifier,
            "issued_at": self.now,
            "agency_name": "",
            "pdf_name": "",
            "token_kid": "",
            "seal_kid": "",
            "check_phrase": "",
            "key_id": cipher.key_id,
            "content_digest": fresh.digest,
            "sealed": sealed_content(cipher, fresh.content, fresh.identifier),
        }

    def _keep_images(self, fresh: list[_Fresh], first_id: int) -> None:
        """Images go to a bundle of their own: a resume after a crash needs their bytes."""
        cipher = self.store.cipher
        kept = [
            (licence_id, each, name, data)
            for licence_id, each in enumerate(fresh, first_id)
            for name, data in each.intent.request.images.items()
        ]
        if not kept:
            return
        sealed = [cipher.seal(data, image_binding(each.identifier, name)) for _, each, name, data in kept]
        bundle = write_bundle(self.store.home, sealed, at=self.now)
        bundle_id = add_bundle(self.conn, bundle, at=self.now)
        rows = [
            {
                "licence_id": licence_id,
                "field": name,
                "sha256": each.content["images"][name],
                "bundle": bundle_id,
                "offset_bytes": offset,
                "length": length,
                "key_id": cipher.key_id,
            }
            for (licence_id, each, name, _), (offset, length) in zip(kept, bundle.places, strict=True)
        ]
        self.conn.execute(insert(LICENCE_IMAGE), rows)


def _keys(intent: Intent) -> list[Key]:
    """Natural key, and request id where there is one."""
    request = intent.request
    keys: list[Key] = [(request.agency_code, request.type_code, request.number, request.version)]
    if request.request_id:
        keys.append((request.agency_code, request.request_id))
    return keys
