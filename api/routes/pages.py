"""The pages for people, and their files. None of them needs a log-in."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from api.deps import parts_of
from api.guarding import PAGE_POLICY
from api.rendering import language_of, rendered
from certlib.errors import NotFoundError
from certlib.trusting import anchor_json

router = APIRouter(include_in_schema=False)


def _page(request: Request, name: str, **values: object) -> Response:
    parts = parts_of(request)
    language = language_of(request.headers.get("Accept-Language", ""))
    html = rendered(parts.pages, name, language=language, **values)
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache", "Vary": "Accept-Language"}
    return HTMLResponse(html, headers=headers)


@router.get("/")
def front(request: Request) -> Response:
    """The small front page."""
    return _page(request, "front.html", library=parts_of(request).lib.settings.library_name)


@router.get("/q")
def verify_page(request: Request) -> Response:
    """The verify page. What it verifies stands in the fragment, which no browser sends."""
    lib = parts_of(request).lib
    config = {"anchor": anchor_json(lib)["spki"], "max_upload_bytes": lib.settings.max_upload_bytes}
    return _page(request, "q.html", config=config)


@router.get("/static/{name}")
def static_file(request: Request, name: str) -> Response:
    """A built file; its name changes with its content."""
    return _built(request, f"/static/{name}", "public, max-age=31536000, immutable")


@router.get("/sw.js")
def worker(request: Request) -> Response:
    """The service worker; it must be asked for anew each time."""
    return _built(request, "/sw.js", "no-cache")


def _built(request: Request, path: str, cache_control: str) -> Response:
    file = parts_of(request).pages.files.get(path)
    if file is None:
        raise NotFoundError("there is no such file", code="no_such_path")
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding", "Content-Security-Policy": PAGE_POLICY}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(file.gzipped, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.body, media_type=file.media_type, headers=headers)
