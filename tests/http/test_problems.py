"""Every error leaves as problem+json with a wire-stable code, and nothing leaves that should not."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from api import problems
from api.app import create_app
from api.problems import STATUS, problem_of
from certlib import errors
from certlib.errors import CertlibError, NotFoundError, OwnFaultError, UnavailableError
from certlib.library import Library


def leaves(kind: type[CertlibError]) -> set[type[CertlibError]]:
    below = kind.__subclasses__()
    return set().union(*map(leaves, below)) if below else {kind}


def test_each_leaf_of_the_error_tree_has_its_status() -> None:
    ours = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, CertlibError)}
    assert ours - {CertlibError} == set(STATUS)
    elsewhere = leaves(CertlibError) - ours
    assert all(any(parent in STATUS for parent in each.__mro__) for each in elsewhere), elsewhere


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "no_such_path"),
        ("DELETE", "/v1/verify", 405, "method_not_allowed"),
        ("GET", "/v1/verify/NOSUCHCODE", 404, "not_found"),
        ("GET", "/static/none.js", 404, "no_such_path"),
        ("POST", "/v1/licences", 401, "unauthenticated"),
    ],
)
def test_problem_documents(quiet_web: TestClient, method: str, path: str, status: int, code: str) -> None:
    response = quiet_web.request(method, path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    content = response.json()
    assert (content["code"], content["status"]) == (code, status)
    assert content["type"] == f"urn:certlib:problem:{code}"
    assert response.headers["cache-control"] == "no-store"


def test_our_own_fault_says_a_reference_and_nothing_else(
    sqlite_library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    lib = replace(sqlite_library, now=broken)  # type: ignore[arg-type]  # a clock that breaks
    with TestClient(create_app(lib), raise_server_exceptions=False) as client:
        response = client.get("/v1/verify/0SGS3Y2RS8QZCA2AB2TGN2EVX7")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["reference"] in caplog.text


def test_what_the_library_says_of_its_own_faults_stays_inside() -> None:
    assert b"secret" not in problem_of(OwnFaultError("secret")).body
    unavailable = problem_of(UnavailableError("secret host"))
    assert b"secret" not in unavailable.body
    assert unavailable.headers["retry-after"]


def test_a_subclass_of_a_leaf_is_answered_as_the_leaf() -> None:
    class NarrowError(NotFoundError):
        code = "narrow"

    try:
        assert problems.problem_of(NarrowError("x")).status_code == 404
    finally:
        del NarrowError
