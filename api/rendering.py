"""The HTML pages and the built files that they link to, read once and held in memory."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from certlib.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE: Final = Path(__file__).resolve().parent
DIST: Final = HERE / "web" / "dist"
MEDIA_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticFile:
    """A built file, ready to send."""

    body: bytes
    gzipped: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pages:
    """Templates and built files."""

    environment: Environment
    links: Mapping[str, str]
    """Paths of script, style, icon and manifest; empty when nothing was built."""
    files: Mapping[str, StaticFile] = field(repr=False)
    """By path, `/static/...` and `/sw.js`."""


def load_pages(dist: Path = DIST) -> Pages:
    """Templates, and the built files if there are any."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    manifest = dist / "assets.json"
    if not manifest.is_file():
        return Pages(environment=environment, links=MappingProxyType({}), files=MappingProxyType({}))
    paths = [path for path in (dist / "static").iterdir() if path.suffix in MEDIA_TYPES] + [dist / "sw.js"]
    files = {"/" + path.relative_to(dist).as_posix(): _file(path) for path in paths}
    links: dict[str, str] = json.loads(manifest.read_text("utf-8"))
    return Pages(environment=environment, links=MappingProxyType(links), files=MappingProxyType(files))


def _file(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(body=body, gzipped=gzip.compress(body, 9, mtime=0), media_type=MEDIA_TYPES[path.suffix])


def rendered(pages: Pages, name: str, *, language: str, **values: Any) -> str:  # noqa: ANN401  # template values
    """A page as HTML.

    Raises:
        UnavailableError: the pages' files were not built.
    """
    if not pages.links:
        raise UnavailableError("the page was not built", hint="Build it with: npm ci && npm run build")
    return pages.environment.get_template(name).render(assets=pages.links, language=language, **values)


def language_of(accept_language: str) -> str:
    """`zh` or `en`: the one that the header `Accept-Language` names first; `en` when it names neither.

    RFC 9110, 12.5.4. Weights are heeded, their syntax is not judged.
    """
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.strip().lower().partition("-")[0]
        if language in {"zh", "en"}:
            try:
                wanted.append((-float(weight or 1), place, language))
            except ValueError:
                continue
    return min(wanted)[2] if wanted else "en"


def etag(content: bytes) -> str:
    """A strong entity tag. RFC 9110, 8.8.3."""
    return f'"{hashlib.sha256(content).hexdigest()[:24]}"'
