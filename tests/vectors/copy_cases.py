"""The vectors of purpose-bound copies: all for the market bureau, made on the day of the world, for thirty days."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import cbor2
import pikepdf

from tests.support.copies import copy_of, resigned_copy, sealed_copy, token_in
from tests.support.files import piece, sealed_file
from tests.support.libraries import MARKET_BUREAU
from tests.support.tokens import deflated
from tests.support.vectors import WORLD_AT
from tests.support.verdicts import flipped, payload_of, picture
from tests.vectors.cases import VECTORS, file, shop, signed, text, vector

if TYPE_CHECKING:
    from tests.vectors.cases import World

__all__ = ["VECTORS"]

FIELDS: Final = ("number", "holder_name", "effective_on", "street_address")
ASKER: Final[dict[str, str]] = {"agency_code": MARKET_BUREAU.code, "agency_name": MARKET_BUREAU.name}
PAST: Final = "2026-12-22T12:00:01Z"
LAST: Final = "2026-12-22T12:00:00Z"
WORD: Final = ("bound_copy", "made_for_another")
_MADE: Final[dict[tuple[str, int], bytes]] = {}


def copy(w: World, name: str = "good", days: int = 30) -> bytes:
    """The copy of one licence of the world; made once."""
    if (name, days) not in _MADE:
        until = WORLD_AT + timedelta(days=days)
        _MADE[name, days] = copy_of(w.lib, w.licences[name], FIELDS, until=until, **ASKER).pdf
    return _MADE[name, days]


def token(w: World, name: str = "good", days: int = 30) -> str:
    return token_in(copy(w, name, days))


def stolen(w: World, name: str = "good", **changes: object) -> str:
    return resigned_copy(w.lib, w.licences[name], copy(w, name), **changes)


def other_holder(w: World) -> str:
    fields = {1: w.lib.press.folder("seattle-business-licence", 1).licence_type.token_code, 3: "Mallory Sample"}
    return stolen(w, fields=fields)


def without(w: World, claim: int) -> str:
    """The copy's token without one of its claims, really signed."""
    content: dict[Any, Any] = {name: value for name, value in payload_of(token(w)).items() if name != claim}
    return signed(w, deflated(cbor2.dumps(content)))


def page_changed(w: World) -> bytes:
    pdf = copy(w)
    place = pdf.rindex(b"endstream", 0, pdf.index(b"/ByteRange")) - 20
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


def words_removed(w: World) -> bytes:
    """Saved again without the words across its pages, as a thief would."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(copy(w))) as document:
        document.Root.Pages.Kids[0].Resources.XObject.CopyMark.write(b"")
        document.save(out)
    return out.getvalue()


def licence_with_code_of_copy(w: World) -> bytes:
    own = piece(w.lib, shop(1), identifier=w.licences["good"].identifier)
    return sealed_file(w.lib, own, code_on_page=token(w))


# --- tokens ---

text("token-copy", *WORD, "the code of a purpose-bound copy: genuine, and not for whoever asks here", token)
text("token-copy-on-its-last-second", *WORD, "", token, at=LAST)
text("token-copy-past-its-day", "expired", "expired", "the licence is in force, the copy is not", token, at=PAST)
text("token-copy-changed", "forged", "bad_signature", "one bit of the payload", lambda w: flipped(token(w)))
for _name in ("suspended", "revoked"):
    text(
        f"token-copy-of-{_name}", _name, _name, "a copy never hides what became of its licence",
        lambda w, name=_name: token(w, name),  # type: ignore[misc]  # bound now
    )  # fmt: skip
text("token-copy-of-superseded", "superseded", "superseded", "a newer version stands", lambda w: token(w, "old"))
text(
    "token-copy-of-another-holder", "forged", "differs_from_record", "right key, and not what the record says",
    other_holder,
)  # fmt: skip
text(
    "token-copy-longer-than-its-licence", "forged", "differs_from_record", "right key; the licence ends in 2027",
    lambda w: stolen(w, "term", expires_at=WORLD_AT + timedelta(days=3650)),
)  # fmt: skip
text(
    "token-copy-for-nobody", "unknown", "malformed", "whom it is for was cut out, really signed",
    lambda w: without(w, 3),
)  # fmt: skip
text(
    "token-copy-without-end", "unknown", "malformed", "its end was cut out, really signed", lambda w: without(w, 4)
)  # fmt: skip

# --- files and pictures ---

file("file-copy", *WORD, "its bytes are not kept: its parts and the record must agree", copy)
file("file-copy-past-its-day", "expired", "expired", "", copy, at=PAST)
file("file-copy-of-revoked", "revoked", "revoked", "", lambda w: copy(w, "revoked"))
file("file-copy-changed", "forged", "bad_signature", "one bit of a stream", page_changed)
file(
    "file-copy-without-its-words",
    "forged",
    "not_fully_covered",
    "the words across the page were taken out",
    words_removed,
)
file(
    "file-copy-with-the-licences-code", "forged", "does_not_match_document", "right key: the licence's code on a copy",
    lambda w: sealed_copy(w.lib, w.licences["good"], code_on_page=w.token("good")),
)  # fmt: skip
file(
    "file-copy-with-the-licences-token", "forged", "does_not_match_document", "right key: the licence's token inside",
    lambda w: sealed_copy(w.lib, w.licences["good"], token_inside=w.token("good"), code_on_page=w.token("good")),
)  # fmt: skip
file(
    "file-licence-with-a-copys-code", "forged", "does_not_match_document", "right key: a copy's code on the licence",
    licence_with_code_of_copy,
)  # fmt: skip
file("picture-copy", *WORD, "", lambda w: picture(token(w)), kind="image")
file(
    "picture-copy-and-licence", "unknown", "two_codes", "a copy laid beside its licence",
    lambda w: picture(token(w), w.token("good")), kind="image",
)  # fmt: skip

# --- without network ---

for _name, _expect, _fault, _make, _more in (
    ("token-copy", *WORD, token, {}),
    ("token-copy-past-its-day", "expired", "expired", lambda w: token(w, days=1), {"at": "2026-11-23T12:01:01Z"}),
    ("token-copy-in-its-last-minute", *WORD, lambda w: token(w, days=1), {"at": "2026-11-23T12:01:00Z"}),
    ("token-copy-of-revoked", "revoked", "revoked", lambda w: token(w, "revoked"), {}),
    ("token-copy-stale", "unknown", "stale_trust", token, {"at": "2026-11-30T13:00:00Z"}),
    ("file-copy", *WORD, copy, {"kind": "pdf", "input": "file"}),
    ("picture-copy", *WORD, lambda w: picture(token(w)), {"kind": "image", "input": "file"}),
):  # fmt: skip
    vector(f"offline-{_name}", _expect, _fault, source="offline", comment="", **_more)(_make)
