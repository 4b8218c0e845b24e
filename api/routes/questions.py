"""Questions with yes, no or not recorded for an answer."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.auth import Sharer
from api.deps import Body, parts_of, read_as
from api.schemas.asking import asking_of
from api.schemas.bodies import SECURED, takes
from api.schemas.problems import problems
from api.schemas.questions import QuestionIn, QuestionOut, QuestionsOut
from certlib.questions import ParameterType, Question, grant_name
from certlib.sharing import asking_questions
from certlib.sharing.asking_questions import About
from certlib.sharing.parameters import described
from certlib.verdict import moment

router = APIRouter(prefix="/v1", tags=["sharing"])


@router.post(
    "/questions",
    response_model=QuestionOut,
    responses=problems(401, 403, 404, 413, 422, 429),
    openapi_extra=takes(QuestionIn),
    summary="Ask a question: yes, no or not recorded",
)
def ask_question(request: Request, caller: Sharer, body: Body) -> Response:
    """Answer a question that the licence's type declares, and that a grant names: `question:<name>` among its fields.

    Never a value. The answer is signed; the holder sees in the ledger who asked what, and why.
    """
    said = read_as(QuestionIn, body)
    done = asking_questions.ask(
        parts_of(request).lib,
        caller,
        asking_of(said),
        type_code=said.type,
        question=said.question,
        given=said.parameters,
        about=About(holder_code=said.holder_code, number=said.number, identifier=said.identifier),
    )
    return _answer(
        {
            "type": done.type_code,
            "question": done.question,
            "answer": done.answer.value,
            "as_of": moment(done.as_of),
            "receipt_id": done.receipt_id,
            "receipt": done.receipt,
        }
    )


@router.get(
    "/types/{code}/questions",
    response_model=QuestionsOut,
    responses=problems(401, 403, 404, 429),
    openapi_extra=SECURED,
    summary="Which questions a type answers",
)
def list_questions(request: Request, caller: Sharer, code: str) -> Response:  # noqa: ARG001  # only that it may share
    """Every question of a type, with its parameters: what a requester's program must give."""
    known = asking_questions.questions_of(parts_of(request).lib, code)
    return _answer({"type": code, "questions": [_declared(each) for each in known]})


def _declared(question: Question) -> dict[str, Any]:
    return {
        "name": question.name,
        "label": {"zh": question.label_zh, "en": question.label_en},
        "kind": question.kind.value,
        "grant": grant_name(question.name),
        "parameters": [
            {
                "name": each.name,
                "type": each.type.value,
                "description": described(each),
                "choices": list(map(int, each.choices)) if each.type is ParameterType.INTEGER else list(each.choices),
                "minimum": each.minimum,
                "maximum": each.maximum,
            }
            for each in question.parameters
        ],
    }


def _answer(content: object) -> Response:
    return JSONResponse(content, headers={"Cache-Control": "private, no-store"})
