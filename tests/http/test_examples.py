"""Every example of the description is called as it stands and answered as it is described.

What only a running library or the calendar can give (`api.schemas.examples.STAND_INS`: identifiers, codes, the client's
secret, a day to come) is put in its place first; nothing else of an example is touched.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has none

from api.schemas import examples as ex
from certlib.clients import add_client
from certlib.collecting import following
from certlib.grants import Basis, Interface
from certlib.holding.codes import code_to_show
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence
from certlib.receipting import new_receipt_id
from certlib.sharing.uses import ask
from certlib.verdict import moment
from signing.keys import KeyAlgorithm, generate_key
from tests.support.changes import lay_down
from tests.support.foreign import HARBOUR, anchor_digest, foreign_request, public_pem
from tests.support.holders import MOTHER, company_of, headers_of, licence_of, me_of
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.serving import served
from tests.support.sharing import COMPANY_FIELDS, MATTER, asker, granted
from tests.support.tickets import look_at, objection, reported
from tests.support.uses import use_request

SCOPES = ("issue", "manage", "share", "verify", "audit", "holder")
Bearer = Callable[..., dict[str, str]]
Swaps = dict[str | int, Any]
"""Stand-in -> what is real."""
Operation = tuple[str, str]


@dataclass(frozen=True)
class World:
    """A library, and how to ask it."""

    lib: Library
    web: TestClient
    bearer: Bearer
    document: dict[str, Any]
    """The description."""
    bridge: Callable[[], Library]
    """Another library."""

    def company(self) -> Licence:
        """A company's licence, and the city's grant."""
        granted(self.lib, fields=(*COMPANY_FIELDS, "question:is_valid_on"))
        return company_of(self.lib)

    def headers(self, who: str) -> dict[str, str]:
        if who == "holder":
            return headers_of(self.lib)
        return {} if who == "nobody" else self.bearer(who, scopes=SCOPES)


def nothing(_world: World) -> Swaps:
    return {}


def company(world: World) -> Swaps:
    made = world.company()
    return {ex.PUBLIC_CODE: made.public_code, ex.IDENTIFIER: made.identifier}


def person(world: World) -> Swaps:
    made = licence_of(world.lib)
    return {ex.PUBLIC_CODE: made.public_code, ex.IDENTIFIER: made.identifier}


def waiting_change(world: World) -> Swaps:
    lay_down(world.lib, 'maker_checker = ["suspend"]')
    path = f"/v1/licences/{world.company().identifier}/changes"
    return {ex.ORDER: posted(world, path, MARKET_BUREAU.code, "/v1/licences/{identifier}/changes")["id"]}


def planned_bulk(world: World) -> Swaps:
    world.company()
    return {ex.ORDER: posted(world, "/v1/bulk", MARKET_BUREAU.code, "/v1/bulk")["id"]}


def client(world: World) -> Swaps:
    made, secret = add_client(
        world.lib, CITY.code, name="Permit desk", scopes=("share", "verify"), public_key=None, operator="tests"
    )
    return {ex.CLIENT_ID: made.id, ex.CLIENT_SECRET: secret}


def receipt(world: World) -> Swaps:
    world.company()
    use = posted(world, "/v1/uses", CITY.code, "/v1/uses")["code"]
    return {ex.RECEIPT: world.web.get(f"/v1/uses/{use}/receipt", headers=world.headers(CITY.code)).json()["receipt"]}


def asked(world: World) -> Swaps:
    licence_of(world.lib)
    kind, fields = "practitioner-licence", ("number", "holder_name")
    granted(
        world.lib,
        type_code=kind,
        fields=fields,
        basis=Basis.CONSENT,
        clause="",
        interfaces=frozenset({Interface.DATA, Interface.FILE}),
    )
    use, _ = ask(world.lib, asker(), use_request(types=(kind,), holder_code=MOTHER[0], fields={kind: fields}))
    return {ex.USE_CODE: use.id}


def shown(world: World) -> Swaps:
    made = licence_of(world.lib)
    return {ex.SHOWN: code_to_show(world.lib, me_of(world.lib), [made.identifier]).code}


def day_to_come(world: World) -> Swaps:
    return {ex.END: moment(world.lib.now() + timedelta(days=200))}


def put_down(world: World) -> Swaps:
    path = "/v1/holder-delegations"
    return {ex.DELEGATION: posted(world, path, MARKET_BUREAU.code, path, day_to_come(world))["id"]}


def look(world: World) -> Swaps:
    return {ex.LOOK: look_at(world.lib, licence_of(world.lib))}


def used(world: World) -> Swaps:
    code = new_receipt_id()
    look_at(world.lib, licence_of(world.lib), reference=code)
    return {ex.USE_CODE: code}


def objected(world: World) -> Swaps:
    return {ex.TICKET: objection(world.lib, licence_of(world.lib)).code}


def error_told(world: World) -> Swaps:
    return {ex.TICKET: reported(world.lib, licence_of(world.lib)).code}


def asked_back(world: World) -> Swaps:
    swaps = error_told(world)
    said = {"action": "return", "operator": "Wang Lei", "text": "Which application?"}
    path = f"/v1/tickets/{swaps[ex.TICKET]}/steps"
    assert world.web.post(path, json=said, headers=world.headers(MARKET_BUREAU.code)).status_code == 200
    return swaps


@dataclass(frozen=True)
class Scene:
    """What must be there before an example is called, and who calls."""

    who: str
    """Code of an agency, `holder` or `nobody`."""
    ready: Callable[[World], Swaps]


BUREAU = MARKET_BUREAU.code
SCENES: Mapping[Operation, Scene] = {
    ("post", "/v1/verify"): Scene("nobody", company),
    ("post", "/v1/licences"): Scene(BUREAU, nothing),
    ("post", "/v1/licences/{identifier}/changes"): Scene(BUREAU, company),
    ("post", "/v1/changes/{change_id}/approval"): Scene(BUREAU, waiting_change),
    ("post", "/v1/bulk"): Scene(BUREAU, company),
    ("post", "/v1/bulk/{act_id}/approval"): Scene(BUREAU, planned_bulk),
    ("post", "/oauth/token"): Scene("nobody", client),
    ("post", "/v1/checks"): Scene(CITY.code, company),
    ("post", "/v1/checks/bulk"): Scene(CITY.code, company),
    ("post", "/v1/questions"): Scene(CITY.code, company),
    ("post", "/v1/uses"): Scene(CITY.code, company),
    ("post", "/v1/receipts"): Scene(CITY.code, company),
    ("post", "/v1/receipts/verification"): Scene("nobody", receipt),
    ("post", "/v1/holders"): Scene(CITY.code, company),
    ("post", "/v1/holders/licences"): Scene(CITY.code, company),
    ("post", "/v1/holder-sessions"): Scene(BUREAU, nothing),
    ("post", "/v1/my/requests/{use_code}/decision"): Scene("holder", asked),
    ("post", "/v1/my/codes"): Scene("holder", person),
    ("post", "/v1/shown"): Scene("nobody", shown),
    ("post", "/v1/my/delegations"): Scene("holder", day_to_come),
    ("post", "/v1/holder-delegations"): Scene(BUREAU, day_to_come),
    ("post", "/v1/holder-delegations/{delegation_id}/end"): Scene(BUREAU, put_down),
    ("post", "/v1/tickets"): Scene(CITY.code, person),
    ("post", "/v1/tickets/{code}/answer"): Scene(CITY.code, objected),
    ("post", "/v1/tickets/{code}/steps"): Scene(BUREAU, error_told),
    ("post", "/v1/tickets/{code}/correction"): Scene(BUREAU, error_told),
    ("post", "/v1/my/objections"): Scene("holder", look),
    ("post", "/v1/my/corrections"): Scene("holder", person),
    ("post", "/v1/my/tickets/{code}/supplement"): Scene("holder", asked_back),
    ("post", "/v1/my/tickets/{code}/withdrawal"): Scene("holder", error_told),
    ("post", "/v1/uses/{code}/rating"): Scene(CITY.code, used),
    ("post", "/v1/my/ratings"): Scene("holder", used),
    ("post", "/v1/paper-reports"): Scene(CITY.code, nothing),
    ("post", "/v1/my/paper-reports"): Scene("holder", nothing),
    ("post", "/gbt36906/GetCertificateType"): Scene(CITY.code, nothing),
    ("post", "/gbt36906/Query"): Scene(CITY.code, company),
    ("post", "/gbt36906/GetCertificateDataByCertificateID"): Scene(CITY.code, company),
    ("post", "/gbt36906/GetCertificateDataByHolder"): Scene(CITY.code, company),
    ("post", "/gbt36906/GetCertificateFileByCertificateID"): Scene(CITY.code, company),
    ("post", "/gbt36906/GetCertificateFileByHolder"): Scene(CITY.code, company),
    ("post", "/gbt36906/VerifyCertificate"): Scene(CITY.code, company),
}
ELSEWHERE: Operation = ("post", "/v1/catalogue/checks")
"""Has a test of its own: another library must answer meanwhile."""
NOT_CALLED: Mapping[Operation, str] = {}
"""Operations whose example cannot be called -> why."""


@pytest.fixture(scope="module")
def document(quiet_web: TestClient) -> dict[str, Any]:
    """The description of the interface."""
    found: dict[str, Any] = quiet_web.get("/openapi.json").json()
    return found


@pytest.fixture
def world(
    sqlite_library: Library,
    web: TestClient,
    bearer: Bearer,
    document: dict[str, Any],
    request: pytest.FixtureRequest,
) -> World:
    def bridge() -> Library:
        found: Library = request.getfixturevalue("bridge")
        return found

    return World(lib=sqlite_library, web=web, bearer=bearer, document=document, bridge=bridge)


def operations(document: dict[str, Any]) -> Iterator[tuple[Operation, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (method, path), operation


def body_of(operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Media type and description of the body that has an example."""
    content = operation["requestBody"]["content"]
    return next((kind, each) for kind, each in content.items() if "example" in each)


def swapped(value: Any, swaps: Swaps) -> Any:  # noqa: ANN401  # JSON
    """The example with each stand-in replaced."""
    if isinstance(value, dict):
        return {name: swapped(each, swaps) for name, each in value.items()}
    if isinstance(value, list):
        return [swapped(each, swaps) for each in value]
    return swaps.get(value, value) if type(value) in {str, int} else value


def closed(value: Any) -> Any:  # noqa: ANN401  # a JSON schema
    """The schema, by which an object has no member that is not described."""
    if isinstance(value, list):
        return [closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    parts = {name: closed(each) for name, each in value.items()}
    return (
        {"additionalProperties": False, **parts} if value.get("type") == "object" and "properties" in value else parts
    )


def faults(document: dict[str, Any], schema: dict[str, Any], value: object) -> list[str]:
    whole = {**closed(schema), "components": closed(document["components"])}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{each.json_path}: {each.message}" for each in validator.iter_errors(value)]


def called(world: World, operation: Operation, who: str, swaps: Swaps) -> Any:  # noqa: ANN401  # JSON
    """The answer to the example, which is 2xx and as it is described."""
    assert swaps.keys() <= ex.STAND_INS
    method, path = operation
    described = world.document["paths"][path][method]
    kind, body = body_of(described)
    example = swapped(body["example"], swaps)
    assert faults(world.document, body["schema"], example) == []
    given = {each["name"]: each.get("example") for each in described.get("parameters", ()) if each["in"] == "path"}
    where = path.format(**swapped(given, swaps))
    sent = {"data": example} if kind.endswith("form-urlencoded") else {"json": example}
    answer = world.web.request(method, where, headers=world.headers(who), **sent)
    assert answer.is_success, answer.text
    shape = described["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    assert faults(world.document, shape, answer.json()) == []
    return answer.json()


def posted(world: World, path: str, who: str, named: str, swaps: Swaps | None = None) -> Any:  # noqa: ANN401  # JSON
    """The answer to another operation's example, which goes before."""
    body = world.document["paths"][named]["post"]["requestBody"]["content"]["application/json"]["example"]
    answer = world.web.post(path, json=swapped(body, swaps or {}), headers=world.headers(who))
    assert answer.is_success, answer.text
    return answer.json()


def test_every_body_has_an_example_and_every_example_is_called(document: dict[str, Any]) -> None:
    with_body = {name: each for name, each in operations(document) if "requestBody" in each}
    for name, operation in with_body.items():
        for kind, body in operation["requestBody"]["content"].items():
            assert "example" in body or kind == "multipart/form-data", f"{name}: {kind} has no example"
    assert set(with_body) == {*SCENES, ELSEWHERE, *NOT_CALLED}


@pytest.mark.parametrize("operation", SCENES, ids=lambda each: each[1])
def test_an_example_is_answered_as_described(world: World, operation: Operation) -> None:
    scene = SCENES[operation]
    answer = called(world, operation, scene.who, scene.ready(world))
    if operation[1].startswith("/gbt36906/"):
        assert answer["head"]["status"] in {0, 10}, answer
    if "word" in answer:
        assert answer["word"] == "valid"
    assert answer.get("genuine", True)


def test_the_example_for_another_library_is_answered_as_described(world: World) -> None:
    bridge, key = world.bridge(), generate_key(KeyAlgorithm.P256)
    licence = issue(bridge, foreign_request()).licence
    known, _ = add_client(
        bridge, HARBOUR.code, name="upper", scopes=("share",), public_key=public_pem(key), operator="tests"
    )
    granted(bridge, agency_code=HARBOUR.code)
    granted(world.lib)
    with served(bridge, says_where=True) as url:
        source = following.add_source(
            *(world.lib, url), anchor=anchor_digest(bridge), client_id=known.id, key=key, matter_code=MATTER,
            operator="tests",
        )  # fmt: skip
        following.follow(world.lib, source)
        answer = called(world, ELSEWHERE, CITY.code, {ex.ELSEWHERE: licence.identifier})
    assert answer["answer"]["result"] == "match"


def test_every_parameter_in_a_path_has_an_example_that_it_takes(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for each in operation.get("parameters", ()):
            assert "example" in each or each["in"] != "path", (name, each["name"])
            if "example" in each:
                assert Draft202012Validator(each["schema"]).is_valid(each["example"]), (name, each["name"])


def test_every_answer_has_a_shape(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status in {"204", "304"}:
                continue
            assert answer["content"], (name, status)
            for kind, each in answer["content"].items():
                assert each.get("schema"), (name, status, kind)
