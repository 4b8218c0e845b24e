"""Following other libraries: their trust pack first, then page after page of their feed, each kept with its cursor.

A run that was killed is gone on with by the next: the page that was not kept is read again. Nothing that a library
says is believed beyond its own agencies, which its trust pack names.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt

from certlib import foreign
from certlib.collecting.reaching import RefusedElsewhereError, Sent, ask, is_unauthenticated, json_answer, library_url
from certlib.collecting.reading import read_page
from certlib.errors import FieldFault, InvalidRequestError, SetupError
from certlib.grants import MAX_CODE_CHARACTERS
from certlib.receipting import new_receipt_id
from certlib.store import collected
from certlib.store.collected import Source
from signing.keys import KeyAlgorithm
from signing.trust import MAX_PACK_BYTES

if TYPE_CHECKING:
    from certlib.library import Library
    from signing.keys import SigningKey

PAGE: Final = 500
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105  # a path
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, 2.2."""
ASSERTION_LIFE: Final = timedelta(seconds=60)
MAX_BEARER_CHARACTERS: Final = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What one run over one library did."""

    source: Source
    """As it stands after it."""
    pages: int
    licences: int
    """Made known or changed."""


def add_source(  # noqa: PLR0913  # what has to be known of a library
    lib: Library, url: str, *, anchor: bytes | str, client_id: str, key: SigningKey, matter_code: str, operator: str
) -> Source:
    """Begin to follow the library at `url`: its trust pack is imported, and our client proves itself once.

    `anchor` is as for `foreign.import_pack`. The key is kept among this library's own, encrypted.

    Raises:
        InvalidRequestError: URL, client, matter or key cannot be used; or its trust pack is not to be trusted.
        ConflictError: it is followed already, or its trust pack cannot be told from another.
        RefusedElsewhereError, UnavailableError: it refuses our client, or does not answer.
    """
    url = library_url(url)
    _check(client_id=client_id, matter_code=matter_code)
    if key.algorithm is not KeyAlgorithm.P256:
        raise InvalidRequestError((FieldFault(field="key", code="wrong_key", reason="must be a P-256 key"),))
    pack, _ = foreign.import_pack(lib, _pack_at(url), anchor=anchor, operator=operator)
    source = Source(
        id=new_receipt_id(),
        url=url,
        anchor_sha256=pack.anchor_sha256,
        name=pack.name,
        client_id=client_id,
        key_uri=_kept(lib, key),
        matter_code=matter_code,
        cursor="",
        types=(),
        added_at=lib.now(),
        added_by=operator,
        collected_at=None,
    )
    bearer_at(lib, source)
    collected.add_source(lib.store, source)
    return source


def _check(**codes: str) -> None:
    faults = tuple(
        FieldFault(field=name, code="bad_code", reason=f"must have 1 to {MAX_CODE_CHARACTERS} characters that print")
        for name, value in codes.items()
        if not 0 < len(value) <= MAX_CODE_CHARACTERS or not value.isprintable()
    )
    if faults:
        raise InvalidRequestError(faults)


def _kept(lib: Library, key: SigningKey) -> str:
    """The URI of the key among ours; the same key may serve for several libraries."""
    name = f"collect-{key.kid.hex()}"
    uri = f"file:keys/{name}.pem"
    try:
        return lib.signer.keep(key, name)
    except SetupError:
        if lib.signer.open(uri).kid != key.kid:
            raise
        return uri


def source_of(lib: Library, name: str) -> Source:
    """The followed library that `name` means: its URL, its name, or its id or the beginning of it.

    Raises:
        InvalidRequestError: none, or several.
    """
    known = collected.sources(lib.store)
    found = [each for each in known if name in (each.url, each.name) or (name and each.id.startswith(name))]
    if len(found) != 1:
        reason = "means several libraries: name its URL" if found else "means no library that is followed"
        raise InvalidRequestError((FieldFault(field="source", code="not_found", reason=reason),))
    return found[0]


def follow(lib: Library, source: Source, *, anew: bool = False, operator: str = "collect") -> Run:
    """Read the feed of a library to its end; what was kept before stays, whatever happens.

    `anew` drops what is known of it first, as after a backup was put back there.

    Raises:
        RefusedElsewhereError: code `lost_cursor` of theirs: it stands before our cursor, begin anew.
        InvalidRequestError: a page that no honest library sends; nothing of it is kept.
        ConflictError, LimitReachedError, UnavailableError: as `reaching.ask` and `collected.apply`.
    """
    foreign.import_pack(lib, _pack_at(source.url), anchor=_anchor(lib, source), operator=operator)
    if anew:
        collected.forget(lib.store, source, operator=operator, now=lib.now(), follow=True)
        source = replace(source, cursor="", types=())
    agencies = foreign.agencies_of(lib, source.anchor_sha256)
    bearer, pages, licences, more = bearer_at(lib, source), 0, 0, True
    while more:
        try:
            said = _page(source, bearer)
        except RefusedElsewhereError as error:
            if not is_unauthenticated(error) or not pages:
                raise
            bearer = bearer_at(lib, source)  # it ended on the way
            said = _page(source, bearer)
        page = read_page(said, agencies=agencies)
        if source.cursor and set(page.types) - set(source.types):
            # A type that is granted since: what was issued before lies behind the cursor.
            page = read_page(_page(replace(source, cursor=""), bearer), agencies=agencies)
        licences += collected.apply(
            lib.store, source, cursor=page.cursor, types=page.types, changes=page.changes, now=lib.now()
        )
        source = replace(source, cursor=page.cursor, types=page.types, collected_at=lib.now())
        pages, more = pages + 1, page.more
        lib.step("collected")
    return Run(source=source, pages=pages, licences=licences)


def _page(source: Source, bearer: str) -> dict[str, Any]:
    query = {"since": source.cursor, "matter_code": source.matter_code, "limit": str(PAGE)}
    return json_answer(ask(source.url, Sent(path="/v1/catalogue/changes", query=query, bearer=bearer)), source.url)


def _pack_at(url: str) -> bytes:
    return ask(url, Sent(path="/v1/trust-pack", most=MAX_PACK_BYTES))


def _anchor(lib: Library, source: Source) -> bytes:
    pack = next((each for each, _ in foreign.imported(lib) if each.anchor_sha256 == source.anchor_sha256), None)
    if pack is None:
        reason = "its trust pack was removed; import it again to go on: certlib collect trust import"
        raise InvalidRequestError((FieldFault(field="source", code="not_trusted", reason=reason),))
    return pack.anchor_spki


def bearer_at(lib: Library, source: Source) -> str:
    """An access token of our client at the library (RFC 6749, 4.4; RFC 7523).

    Raises:
        RefusedElsewhereError, LimitReachedError, UnavailableError: as `reaching.ask`.
    """
    key, now = lib.signer.open(source.key_uri), lib.now()
    claims: dict[str, Any] = {
        "iss": source.client_id,
        "sub": source.client_id,
        "aud": source.url + TOKEN_PATH,
        "iat": int(now.timestamp()),
        "exp": int((now + ASSERTION_LIFE).timestamp()),
        "jti": secrets.token_hex(16),
    }
    form = {
        "grant_type": "client_credentials",
        "scope": "share",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": jwt.encode(claims, key.private_key, algorithm="ES256", headers={"typ": "JWT"}),
    }
    bearer = json_answer(ask(source.url, Sent(path=TOKEN_PATH, form=form)), source.url).get("access_token")
    if not isinstance(bearer, str) or not bearer.isascii() or not bearer.isprintable() or " " in bearer:
        reason = "gives no access token that can be sent"
        raise InvalidRequestError((FieldFault(field="source", code="bad_answer", reason=reason),))
    return bearer[:MAX_BEARER_CHARACTERS]
