"""The one way out to other libraries: bounded HTTP to one host, over TLS or on this machine, never elsewhere."""

from __future__ import annotations

import ipaddress
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, LimitReachedError, UnavailableError
from certlib.wire import unique_members

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

MAX_URL_CHARACTERS: Final = 2048
TIMEOUT_SECONDS: Final = 20
WHOLE_SECONDS: Final = 120
"""For one answer from its first byte to its last: a library that drips holds nobody up."""
MAX_ANSWER_BYTES: Final = 4 * 2**20
"""A page of 500 changes has about half a megabyte."""
_CHUNK: Final = 64 * 1024
_GOOD: Final = 200
_SERVER_FAULT: Final = 500
_TOO_MANY: Final = 429
_UNAUTHENTICATED: Final = 401
_MAX_CODE: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What is sent to a library."""

    path: str
    """Begins with a slash."""
    query: Mapping[str, str] | None = None
    bearer: str = ""
    form: Mapping[str, str] | None = None
    """Makes it a POST of a form."""
    body: Mapping[str, Any] | None = None
    """Makes it a POST of JSON."""
    most: int = MAX_ANSWER_BYTES


class RefusedElsewhereError(ForbiddenError):
    """Another library refused what we asked; `status` and `their_code` are its own words."""

    code = "refused_elsewhere"

    def __init__(self, message: str, *, status: int, their_code: str) -> None:
        """Remember what the library said."""
        super().__init__(message, hint="Ask the operator of that library; its grants decide.")
        self.status = status
        self.their_code = their_code


def library_url(text: str) -> str:
    """The URL of a library as it is kept: https, or http on this machine; no slash at the end.

    Raises:
        InvalidRequestError: another.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _no_url("is no URL") from error
    host = parts.hostname or ""
    if len(text) > MAX_URL_CHARACTERS or not text.isascii() or not text.isprintable() or " " in text or not host:
        raise _no_url("is no URL")
    if parts.username is not None or parts.query or parts.fragment or port == 0:
        raise _no_url("holds more than scheme, host, port and path")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise _no_url("must be https; http is for this machine only")
    return text.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _no_url(reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field="url", code="bad_url", reason=reason),))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A library answers itself: a bearer is sent nowhere else."""

    def redirect_request(self, *_args: Any) -> None:  # noqa: ANN401  # of the standard library
        """Follow nothing; it becomes an error of that status."""


def ask(url: str, sent: Sent) -> bytes:
    """The body of the library's answer 200.

    Raises:
        RefusedElsewhereError, LimitReachedError: it refused.
        UnavailableError: it does not answer, answers with a fault of its own, too much, or too slowly.
    """
    data, kind = None, ""
    if sent.form is not None:
        data, kind = urlencode(sent.form).encode(), "application/x-www-form-urlencoded"
    elif sent.body is not None:
        data, kind = json.dumps(sent.body, ensure_ascii=False).encode(), "application/json"
    headers = {"Accept": "application/json", **({"Content-Type": kind} if kind else {})}
    if sent.bearer:
        headers["Authorization"] = f"Bearer {sent.bearer}"
    whole = url + sent.path + (f"?{urlencode(sent.query)}" if sent.query else "")
    request = urllib.request.Request(whole, data=data, headers=headers)  # noqa: S310  # the scheme is checked by library_url
    here = _is_here(urlsplit(url).hostname or "")
    opener = urllib.request.build_opener(_NoRedirect, *([urllib.request.ProxyHandler({})] if here else []))
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            if response.status != _GOOD:
                raise _silent(url, f"answers {response.status}")
            return _bounded(url, response, sent.most)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, error) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _silent(url, "does not answer") from error


def _bounded(url: str, response: HTTPResponse, most: int) -> bytes:
    begun, parts, size = time.monotonic(), [], 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > most or time.monotonic() - begun > WHOLE_SECONDS:
            raise _silent(url, "answers with too much, or too slowly")
    return b"".join(parts)


def _refusal(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code >= _SERVER_FAULT:
        return _silent(url, f"answers {error.code}")
    try:
        said = json_answer(error.read(_CHUNK), url)
    except (UnavailableError, OSError, HTTPException):
        said = {}
    code = said.get("code", said.get("error", ""))
    code = "".join(each for each in code if each.isascii() and each.isprintable()) if isinstance(code, str) else ""
    if error.code == _TOO_MANY:
        return LimitReachedError(f"the library at {url} has had enough for now", code="limit_elsewhere")
    message = f"the library at {url} refused with {error.code} {code[:_MAX_CODE]}".rstrip()
    return RefusedElsewhereError(message, status=error.code, their_code=code[:_MAX_CODE])


def json_answer(data: bytes, url: str) -> dict[str, Any]:
    """The JSON object that a library answered; no member twice.

    Raises:
        UnavailableError: it is none.
    """
    try:
        value = json.loads(data, object_pairs_hook=unique_members)
    except (ValueError, RecursionError) as error:
        raise _silent(url, "answers with something else than JSON") from error
    if not isinstance(value, dict):
        raise _silent(url, "answers with something else than an object")
    return value


def is_unauthenticated(error: RefusedElsewhereError) -> bool:
    """Whether the bearer was not accepted, as when it has ended."""
    return error.status == _UNAUTHENTICATED


def _silent(url: str, what: str) -> UnavailableError:
    return UnavailableError(f"the library at {url} {what}", code="library_unavailable", hint="Try again later.")
