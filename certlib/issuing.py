"""The issuance cycle: the only way a licence comes into being (docs/issuance-cycle.md).

1. Prepare (pure): refuse what is not lawful.
2. Reserve (transaction A): identifier, number and the full intent; neither is ever reused.
3. Render and seal: token, QR, PDF, seal. No transaction is open meanwhile.
4. Self-verify: read our own PDF and token as a stranger would and compare with the intent.
5. Record (transaction B): PDF, status `active` and audit record, together.

A crash after 2 leaves a reservation that the same request, or `sweep`, resumes under the same identifier.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from certlib.enrolling import IssuingKit, issuing_kit
from certlib.errors import (
    CertlibError,
    ConflictError,
    FieldFault,
    IllegalTransitionError,
    InvalidRequestError,
    NotFoundError,
    TypeFolderError,
    UnavailableError,
)
from certlib.identifiers import GBT36904_ROOT
from certlib.lawfulness import checked_request
from certlib.making import Piece, made_licences, pages, unreserved
from certlib.operations import NEW_VERSIONS
from certlib.store import agencies, lookups, recording, reserving
from certlib.store.values import AlreadyIssued, Conflicting, Intent, MadeLicence, Reserved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from certlib.library import Library
    from certlib.model import IssueRequest, Licence
    from certlib.operations import LifecyclePolicy
    from certlib.press import TypeFolder

RESUME_AFTER = timedelta(minutes=10)
"""A reservation younger than this may still be at work in another process."""
RACE_ATTEMPTS = 10
"""Each one ends with at least one more of the block's licences recorded by somebody."""
FINISHED_ELSEWHERE = frozenset({"already_recorded", "already_void"})
"""What the store answers when another worker was quicker with the same reservation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    """The answer to one request."""

    licence: Licence
    new: bool
    """False when the same request had been answered before: the same licence again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockOutcome:
    """What became of one request of a block: a licence or an error, never both, never neither."""

    licence: Licence | None
    new: bool
    error: CertlibError | None
    pdf: bytes | None = None
    """The sealed PDF where this call made it; of other licences the store has it."""


def issue(lib: Library, request: IssueRequest, *, decided: bool = False) -> Issued:
    """Issue one licence, or give the one that the same request made before.

    `decided` says that a change stands behind it, with the second person that the type may ask for.

    Raises:
        InvalidRequestError: the request is not lawful; every fault is named.
        ConflictError: another request stands under the same natural key or request id; what differs is named.
        IllegalTransitionError: the licence that it supersedes has ended in another way.
        NotFoundError: unknown agency or type.
        TypeFolderError: the type's folder was changed after use.
        SetupError: the agency has no usable key.
        OwnFaultError: our own work did not pass our own check; nothing was recorded.
        UnavailableError: the time stamping authority or the store does not answer; ask again with the same key.
    """
    (outcome,) = issue_block(lib, [request], decided=decided)
    if outcome.error is not None:
        raise outcome.error
    if outcome.licence is None:
        raise AssertionError("an outcome is a licence or an error")
    return Issued(licence=outcome.licence, new=outcome.new)


def issue_block(lib: Library, requests: Sequence[IssueRequest], *, decided: bool = False) -> list[BlockOutcome]:
    """Issue up to a few hundred licences as one block: one outcome per request, in their order.

    A bad request never stops a good one. Two transactions serve the whole block. Safe to run again. Where somebody
    else finishes one of the same reservations first, the block is judged anew and that licence is the answer.

    Raises:
        SetupError, UnavailableError: what stops every row alike; nothing is lost, run again.
    """
    for _attempt in range(RACE_ATTEMPTS):
        try:
            return _issued_block(lib, requests, decided=decided)
        except ConflictError as error:
            if error.code not in FINISHED_ELSEWHERE:
                raise
    raise UnavailableError("others work on the same licences again and again; try later")


def _issued_block(lib: Library, requests: Sequence[IssueRequest], *, decided: bool) -> list[BlockOutcome]:
    outcomes: list[BlockOutcome | None] = [None] * len(requests)
    intents: list[tuple[int, Intent]] = []
    context = _Context(lib, decided=decided)
    for index, request in enumerate(requests):
        try:
            intents.append((index, context.intent(request)))
        except (InvalidRequestError, NotFoundError, TypeFolderError) as error:
            outcomes[index] = _refused(error)
    lib.step("prepared")
    reservations = reserving.reserve(lib.store, [intent for _, intent in intents], now=lib.now())
    lib.step("reserved")
    pieces: dict[str, Piece] = {}
    waiting: list[tuple[int, Reserved]] = []
    for (index, _), reservation in zip(intents, reservations, strict=True):
        match reservation:
            case AlreadyIssued(licence=licence):
                outcomes[index] = BlockOutcome(licence=licence, new=False, error=None)
            case Conflicting(identifier=identifier, differs=differs):
                outcomes[index] = _refused(_conflict(identifier, differs))
            case Reserved():
                waiting.append((index, reservation))
                pieces.setdefault(reservation.identifier, context.piece(reservation))
    recorded, refused = _make_and_record(lib, list(pieces.values()))
    first: set[str] = set()
    for index, reservation in waiting:
        identifier = reservation.identifier
        if identifier in recorded:
            licence, pdf = recorded[identifier]
            outcomes[index] = BlockOutcome(licence=licence, new=identifier not in first, error=None, pdf=pdf)
            first.add(identifier)
        else:
            outcomes[index] = _refused(refused[identifier])
    return [outcome for outcome in outcomes if outcome is not None]


def _make_and_record(
    lib: Library, pieces: list[Piece]
) -> tuple[dict[str, tuple[Licence, bytes]], dict[str, CertlibError]]:
    """Steps 3 to 5: licences with their PDFs by identifier, and refusals whose reservations were voided."""
    made: list[MadeLicence] = []
    refused: dict[str, CertlibError] = {}
    for piece, result in zip(pieces, made_licences(lib, pieces), strict=True):
        if isinstance(result, MadeLicence):
            made.append(result)
            continue
        identifier = piece.reserved.identifier
        refused[identifier] = result
        # The form cannot carry these values: the number is free again, the identifier is burnt.
        reserving.void(
            lib.store, identifier, reason=result.code, operator=piece.reserved.intent.request.operator, now=lib.now()
        )
    lib.step("verified")
    licences, ended = _recorded(lib, made)
    lib.step("recorded")
    pdfs = {each.reserved.identifier: each.pdf for each in made}
    return {licence.identifier: (licence, pdfs[licence.identifier]) for licence in licences}, refused | ended


def _recorded(lib: Library, made: list[MadeLicence]) -> tuple[list[Licence], dict[str, CertlibError]]:
    """Step 5. One whose previous licence has ended meanwhile in another way is voided; the others do not suffer."""
    if not made:
        return [], {}
    try:
        return recording.record(lib.store, made, now=lib.now()), {}
    except IllegalTransitionError as error:
        if len(made) == 1:
            reserved = made[0].reserved
            operator = reserved.intent.request.operator
            reserving.void(lib.store, reserved.identifier, reason=error.code, operator=operator, now=lib.now())
            return [], {reserved.identifier: error}
    licences: list[Licence] = []
    refused: dict[str, CertlibError] = {}
    for each in made:
        done, ended = _recorded(lib, [each])
        licences += done
        refused |= ended
    return licences, refused


def sweep(lib: Library, *, older_than: timedelta = RESUME_AFTER) -> Iterator[BlockOutcome]:
    """Resume every reservation that a crash left behind: each becomes the licence it was meant to be, or is voided.

    Raises:
        SetupError, UnavailableError: as `issue_block`; what was done stays done.
    """
    context = _Context(lib)
    for reservation in list(reserving.prepared(lib.store, older_than=lib.now() - older_than)):
        try:
            recorded, refused = _make_and_record(lib, [context.piece(reservation)])
        except ConflictError as error:
            if error.code not in FINISHED_ELSEWHERE:
                raise
            continue  # it is no longer left behind
        if (done := recorded.get(reservation.identifier)) is not None:
            licence, pdf = done
            yield BlockOutcome(licence=licence, new=True, error=None, pdf=pdf)
        else:
            yield _refused(refused[reservation.identifier])


def rehearse_block(
    lib: Library, requests: Sequence[IssueRequest], *, decided: bool = False
) -> list[CertlibError | None]:
    """What would refuse each request, or None, without reserving or recording anything: steps 1 and 3 only.

    The pages are really drawn, so that a missing character or a text that does not fit is found as well. What stands
    under the same natural key is not looked at.

    Raises:
        SetupError: what stops every row alike.
    """
    context = _Context(lib, decided=decided)
    faults: list[CertlibError | None] = [None] * len(requests)
    for index, request in enumerate(requests):
        try:
            piece = context.piece(unreserved(context.intent(request), now=lib.now()))
        except (InvalidRequestError, NotFoundError, TypeFolderError) as error:
            faults[index] = error
            continue
        (page,) = pages(lib, [piece])
        faults[index] = page if isinstance(page, CertlibError) else None
    return faults


class _Context:
    """Agencies, types and keys looked up once per block."""

    def __init__(self, lib: Library, *, decided: bool = False) -> None:
        self.lib = lib
        self.decided = decided
        self.kits: dict[str, IssuingKit] = {}
        self.types: dict[tuple[str, int], TypeFolder] = {}
        self.current: dict[str, int] = {}

    def kit(self, agency_code: str) -> IssuingKit:
        if agency_code not in self.kits:
            self.kits[agency_code] = issuing_kit(self.lib, agency_code)
        return self.kits[agency_code]

    def folder(self, code: str, version: int | None = None) -> TypeFolder:
        if version is None:
            if code not in self.current:
                self.current[code] = agencies.current_type(self.lib.store, code).version
            version = self.current[code]
        if (code, version) not in self.types:
            self.types[code, version] = usable_folder(self.lib, code, version)
        return self.types[code, version]

    def intent(self, request: IssueRequest) -> Intent:
        folder = self.folder(request.type_code)
        kit = self.kit(request.agency_code)
        licence_type = folder.licence_type
        today = self.lib.now().astimezone(ZoneInfo(kit.agency.timezone)).date()
        if request.previous_identifier:
            self._require_own_previous(request, licence_type.lifecycle)
        return Intent(
            request=checked_request(licence_type, request, kit.agency, today=today),
            type_version=licence_type.version,
            type_digest=folder.digest,
            identifier_scheme=licence_type.scheme,
            identifier_root=identifier_root(self.lib, licence_type.scheme),
            type_segment=licence_type.segment,
            agency_segment=kit.agency.code,
        )

    def _require_own_previous(self, request: IssueRequest, policy: LifecyclePolicy) -> None:
        """Nobody ends another agency's licence, nor alone what takes two persons."""
        fault = ""
        with suppress(NotFoundError):
            previous = lookups.licence_by_identifier(self.lib.store, request.previous_identifier)
            if previous.agency_code != request.agency_code:
                fault = "another_agency"
            elif policy.maker_checker & NEW_VERSIONS and not self.decided:
                fault = "needs_second_person"
        if fault:
            reason = {
                "another_agency": "is a licence of another agency",
                "needs_second_person": "takes a second person for this type: renew, correct or transfer it",
            }[fault]
            raise InvalidRequestError((FieldFault(field="previous_identifier", code=fault, reason=reason),))

    def piece(self, reserved: Reserved) -> Piece:
        request = reserved.intent.request
        folder = self.folder(request.type_code, reserved.intent.type_version)
        return Piece(reserved=reserved, folder=folder, kit=self.kit(request.agency_code))


def identifier_root(lib: Library, scheme: str) -> str:
    """The root under which identifiers of `scheme` are made."""
    return GBT36904_ROOT if scheme == "gbt36904" else lib.settings.identifier_root_plain


def usable_folder(lib: Library, code: str, version: int) -> TypeFolder:
    """The folder of a registered version, unchanged since it was registered.

    Raises:
        NotFoundError: not registered, or no folder.
        TypeFolderError: the folder's digest is not the one on record.
    """
    registered = agencies.type_version(lib.store, code, version)
    folder = lib.press.folder(code, version)
    if folder.digest != registered.digest:
        raise TypeFolderError(
            (f"{code}/v{version}: changed after it was registered; put it back, or add it as v{version + 1}",)
        )
    return folder


def _refused(error: CertlibError) -> BlockOutcome:
    return BlockOutcome(licence=None, new=False, error=error)


def _conflict(identifier: str, differs: tuple[str, ...]) -> ConflictError:
    what = ", ".join(differs)
    return ConflictError(
        f"{identifier} stands under this number with other content: {what}", differs=differs, identifier=identifier
    )
