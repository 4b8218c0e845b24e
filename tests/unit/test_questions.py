"""Questions: what a type.toml may declare, which parameters are taken, and what one record answers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.catalogue import LicenceType, parse_type
from certlib.errors import InvalidRequestError, TypeFolderError
from certlib.model import Holder, Status
from certlib.questions import QuestionKind
from certlib.sharing.answers import (
    Answer,
    Move,
    Record,
    age_reached,
    combined,
    includes,
    normalised,
    status_at,
    valid_on,
)
from certlib.sharing.parameters import asked, letters
from tests.support.libraries import company_request
from tests.support.questions import (
    CHILD,
    FATHER,
    MOTHER,
    NOW,
    STRANGER,
    birth_request,
    plain_licence,
    said,
    shipped,
    without,
)

YES, NO, NOT_RECORDED = Answer.YES, Answer.NO, Answer.NOT_RECORDED
TYPE = """
code = "sample"
segment = "S"
token_code = 9
name = { zh = "样", en = "Sample" }
language = "en"
[holder]
code_types = [CODES]
[number]
label = { zh = "号", en = "Number" }
[[fields]]
name = "scope"
label = { zh = "样", en = "Scope" }
[[fields]]
name = "mother_code"
label = { zh = "样", en = "Mother" }
sensitive = true
[[fields]]
name = "born_on"
label = { zh = "样", en = "Born" }
kind = "date"
[[fields]]
name = "amount"
label = { zh = "样", en = "Amount" }
kind = "money"
[[fields]]
name = "photo"
label = { zh = "样", en = "Photo" }
kind = "image"
"""
LABEL = 'label = { zh = "问", en = "Ask" }'
NAMED = f'name = "q"\n{LABEL}\n'
TWICE = '{ name = "a", fields = ["scope"] }'


def declared(questions: str, codes: str = '"111"') -> LicenceType:
    return parse_type(TYPE.replace("CODES", codes) + questions, where="type.toml", version=1)


def problems(questions: str, codes: str = '"111"') -> tuple[str, ...]:
    with pytest.raises(TypeFolderError) as caught:
        declared(questions, codes)
    return caught.value.problems


def test_every_type_answers_whether_it_was_valid() -> None:
    assert [each.name for each in declared("").questions] == ["is_valid_on"]
    assert {shipped(code).questions[0].name for code in ("business-licence", "birth-certificate")} == {"is_valid_on"}


def test_each_kind_is_declared_with_its_parameters() -> None:
    kind = declared(
        f"""
        [[questions]]
        name = "older"
        {LABEL}
        kind = "age_at_least"
        field = "holder_code"
        allowed = [18, 14, 18]
        [[questions]]
        name = "kin"
        {LABEL}
        kind = "relation"
        relations = [{{ name = "child_of", fields = ["mother_code"] }}]
        [[questions]]
        name = "does"
        {LABEL}
        kind = "text_includes"
        field = "scope"
        min_length = 6
        [[questions]]
        name = "rich"
        {LABEL}
        kind = "field_at_least"
        field = "amount"
        [[questions]]
        name = "same"
        {LABEL}
        kind = "field_is"
        field = "born_on"
        """
    )
    found = {each.name: each for each in kind.questions}
    assert [(each.name, [one.name for one in each.parameters]) for each in kind.questions] == [
        ("is_valid_on", ["date"]),
        ("older", ["age"]),
        ("kin", ["relation", "code"]),
        ("does", ["text"]),
        ("rich", ["amount"]),
        ("same", ["text"]),
    ]
    assert found["older"].allowed == (14, 18)
    assert found["does"].parameters[0].minimum == 6
    assert found["kin"].parameters[0].choices == ("child_of",)


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        ("questions = 7", "questions: must be tables, [[questions]]"),
        ("questions = [7]", "questions[1]: must be a table"),
        (f'[[questions]]\n{NAMED}kind = "sql"', "questions[1]: kind: must be one of age_at_least, relation"),
        (f'[[questions]]\n{NAMED}kind = "valid_on"', "questions[1]: kind: must be one of"),
        (f'[[questions]]\n{NAMED}kind = ["relation"]', "questions[1]: kind: must be one of"),
        (f'[[questions]]\nname = "Q 1"\n{LABEL}\nkind = "field_is"\nfield = "scope"', "questions[1]: name: must match"),
        (
            f'[[questions]]\nname = "is_valid_on"\n{LABEL}\nkind = "field_is"\nfield = "scope"',
            "questions[1]: name: is_valid_on is answered by every type",
        ),
        ('[[questions]]\nname = "q"\nkind = "field_is"\nfield = "scope"', 'questions[1]: label: must be { zh = "..."'),
        (f'[[questions]]\n{NAMED}kind = "field_is"', "questions[1]: field: must be the name of a field of this type"),
        (f'[[questions]]\n{NAMED}kind = "field_is"\nfield = "holder_code"', "questions[1]: field: must be the name"),
        (f'[[questions]]\n{NAMED}kind = "field_is"\nfield = ["scope"]', "questions[1]: field: must be the name"),
        (
            f'[[questions]]\n{NAMED}kind = "field_is"\nfield = "photo"',
            "field: photo must be of kind date or integer or",
        ),
        (f'[[questions]]\n{NAMED}kind = "age_at_least"\nfield = "scope"', "field: scope must be of kind date for age_"),
        (f'[[questions]]\n{NAMED}kind = "field_at_least"\nfield = "scope"', "scope must be of kind integer or money"),
        (
            f'[[questions]]\n{NAMED}kind = "text_includes"\nfield = "mother_code"',
            "field: mother_code is sensitive: a question of kind text_includes would let it be guessed",
        ),
        (f'[[questions]]\n{NAMED}kind = "field_is"\nfield = "mother_code"', "field: mother_code is sensitive"),
        (
            f'[[questions]]\n{NAMED}kind = "text_includes"\nfield = "scope"\nmin_length = 3',
            "min_length: must be a whole",
        ),
        (f'[[questions]]\n{NAMED}kind = "text_includes"\nfield = "scope"\nmin_length = true', "min_length: must be a"),
        (
            f'[[questions]]\n{NAMED}kind = "field_is"\nfield = "scope"\nallowed = [1]',
            "allowed: not a key of a question",
        ),
        (f'[[questions]]\n{NAMED}kind = "age_at_least"\nfield = "born_on"\nallowed = []', "allowed: must be a list"),
        (f'[[questions]]\n{NAMED}kind = "age_at_least"\nfield = "born_on"\nallowed = [0]', "allowed: must be a list"),
        (
            f'[[questions]]\n{NAMED}kind = "age_at_least"\nfield = "born_on"\nallowed = [true]',
            "allowed: must be a list",
        ),
        (f'[[questions]]\n{NAMED}kind = "relation"', "relations: must be a list of {"),
        (f'[[questions]]\n{NAMED}kind = "relation"\nrelations = [1]', "relations[1]: name: must match"),
        (
            f'[[questions]]\n{NAMED}kind = "relation"\nrelations = [{{ name = "a", fields = ["born_on"] }}]',
            "relations[1]: fields: must be names of text fields of this type",
        ),
        (
            f'[[questions]]\n{NAMED}kind = "relation"\nrelations = [{{ name = "a", fields = ["scope"], inverse = 1 }}]',
            "relations[1]: inverse: must be true or false",
        ),
        (
            f'[[questions]]\n{NAMED}kind = "relation"\nrelations = [{{ name = "a", fields = ["scope"], of = "b" }}]',
            "relations[1]: of: not a key of a relation",
        ),
        (
            f'[[questions]]\n{NAMED}kind = "relation"\nrelations = [{TWICE}, {TWICE}]',
            "relations: name a stands twice",
        ),
        (
            f'[[questions]]\n{NAMED}kind = "field_is"\nfield = "scope"\n' * 2,
            "questions: name q stands twice",
        ),
    ],
)
def test_what_is_wrong_with_a_declaration_is_named_with_its_place(questions: str, expected: str) -> None:
    if questions.startswith("questions ="):  # a plain key stands before the tables
        with pytest.raises(TypeFolderError) as caught:
            parse_type(questions + TYPE.replace("CODES", '"111"'), where="type.toml", version=1)
        lines = caught.value.problems
    else:
        lines = problems(questions)
    assert any(line.startswith("type.toml: questions") and expected in line for line in lines), lines


def test_the_age_of_holders_without_citizen_numbers_is_not_asked() -> None:
    question = f'[[questions]]\n{NAMED}kind = "age_at_least"\nfield = "holder_code"'
    assert problems(question, codes='"001"') == (
        "type.toml: questions[1]: field: holder_code needs holders with citizen numbers: code_types has no 111",
    )


# Parameters.


@pytest.mark.parametrize(
    ("name", "given", "field", "code", "wanted"),
    [
        ("is_valid_on", {}, "parameters.date", "required", "is missing: a date as text, YYYY-MM-DD"),
        ("is_valid_on", {"date": 20261122}, "parameters.date", "wrong_type", "a date as text, YYYY-MM-DD"),
        ("is_valid_on", {"date": "22.11.2026"}, "parameters.date", "bad_date", "a date as text, YYYY-MM-DD"),
        ("is_valid_on", {"date": "2026-02-29"}, "parameters.date", "bad_date", "a day of the calendar"),
        ("is_valid_on", {"date": "２０２６-11-22"}, "parameters.date", "bad_date", "a date"),
        ("is_valid_on", {"date": "2026-11-23"}, "parameters.date", "future_date", "not in the future"),
        ("is_valid_on", {"date": "2026-11-22", "x": 1}, "parameters", "unknown_parameter", "takes only: date"),
        ("holder_age_at_least", {"age": "18"}, "parameters.age", "wrong_type", "a whole number from 1 to 150"),
        ("holder_age_at_least", {"age": True}, "parameters.age", "wrong_type", "a whole number"),
        ("holder_age_at_least", {"age": 18.0}, "parameters.age", "wrong_type", "a whole number"),
        ("holder_age_at_least", {"age": 0}, "parameters.age", "out_of_range", "a whole number from 1 to 150"),
        ("holder_age_at_least", {"age": 10**30}, "parameters.age", "out_of_range", "a whole number"),
        (
            "holder_is",
            {"relation": "mother", "code": "1"},
            "parameters.relation",
            "bad_choice",
            "one of child_of, paren",
        ),
        ("holder_is", {"relation": "child_of"}, "parameters.code", "required", "code as text, at most 64 characters"),
        ("holder_is", {"relation": "child_of", "code": 1}, "parameters.code", "wrong_type", "code as text"),
        ("holder_is", {"relation": "child_of", "code": "\0"}, "parameters.code", "bad_character", "printable"),
        ("holder_is", {"relation": "child_of", "code": "9" * 65}, "parameters.code", "too_long", "at most 64"),
        ("sex_is", {"text": "女"}, "question", "unknown_question", "this type answers: is_valid_on, holder_is"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_type(
    name: str, given: dict[str, object], field: str, code: str, wanted: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        asked(shipped("birth-certificate").questions, name, given, now=datetime(2026, 11, 22, 9, tzinfo=UTC))
    (fault,) = caught.value.faults
    assert (fault.field, fault.code) == (field, code)
    assert wanted in fault.reason


@pytest.mark.parametrize("text", ["餐", "茶a", "abc", " a b c ", "；；、（）", "", "  ", "饮\n食", "茶" * 201])
def test_too_little_is_no_guess(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        asked(shipped("business-licence").questions, "scope_includes", {"text": text}, now=NOW)
    assert [fault.field for fault in caught.value.faults] == ["parameters.text"]
    assert letters("餐饮") == letters("ＡＢＣＤ") == 4


def test_tomorrow_somewhere_is_no_future() -> None:
    late = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)  # already the 23rd in Kiribati
    assert asked(shipped("birth-certificate").questions, "is_valid_on", {"date": "2026-11-23"}, now=late).day == date(
        2026, 11, 23
    )


def test_only_allowed_steps_are_asked() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        asked(shipped("business-licence").questions, "capital_at_least", {"amount": 1_680_001}, now=NOW)
    assert "one of 30000, 100000" in caught.value.faults[0].reason


# Valid on a day.


def moved(to: Status, at: str) -> Move:
    return Move(new=to, effective_at=datetime.fromisoformat(at))


HISTORY = (
    moved(Status.SUSPENDED, "2026-03-10T10:00:00+08:00"),
    moved(Status.ACTIVE, "2026-03-20T10:00:00+08:00"),
    moved(Status.REVOKED, "2026-06-01T00:00:00+08:00"),
)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-12-31", NO),  # before its first day
        ("2026-01-01", YES),
        ("2026-03-09", YES),
        ("2026-03-10", NO),  # as the day ended
        ("2026-03-19", NO),
        ("2026-03-20", YES),
        ("2026-05-31", YES),  # revoked the day after
        ("2026-06-01", NO),
        ("2026-11-22", NO),
        ("0001-01-01", NO),
    ],
)
def test_a_day_is_judged_by_the_history(day: str, expected: Answer) -> None:
    licence = plain_licence(effective_on=date(2026, 1, 1), expires_on=date(2030, 1, 1), status=Status.REVOKED)
    assert valid_on(Record(licence=licence, moves=HISTORY), date.fromisoformat(day), now=NOW) is expected


def test_dates_bound_it_both_days_included() -> None:
    licence = plain_licence(effective_on=date(2026, 2, 1), expires_on=date(2026, 2, 28))
    record = Record(licence=licence, moves=())
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)]
    assert [valid_on(record, day, now=NOW) for day in days] == [NO, YES, YES, NO]


def test_a_day_ends_in_the_agencys_zone() -> None:
    change = moved(Status.CANCELLED, "2026-03-10T06:30:00+00:00")  # 14:30 in Shanghai, 22:30 of the 9th in Los Angeles
    for zone, last in (("Asia/Shanghai", date(2026, 3, 9)), ("America/Los_Angeles", date(2026, 3, 8))):
        licence = plain_licence(timezone=zone, status=Status.CANCELLED)
        record = Record(licence=licence, moves=(change,))
        assert valid_on(record, last, now=NOW) is YES
        assert valid_on(record, last + timedelta(days=1), now=NOW) is NO


def test_withdrawn_was_never_good() -> None:
    licence = plain_licence(status=Status.WITHDRAWN)
    record = Record(licence=licence, moves=(moved(Status.WITHDRAWN, "2026-10-01T00:00:00+08:00"),))
    assert valid_on(record, date(2026, 9, 1), now=NOW) is NO


def test_closed_when_it_was_issued_here_has_no_known_past() -> None:
    licence = plain_licence(status=Status.CANCELLED, issued_at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC))
    record = Record(licence=licence, moves=(moved(Status.CANCELLED, "2026-01-05T02:00:01+00:00"),))
    assert valid_on(record, date(2020, 1, 1), now=NOW) is NOT_RECORDED
    assert valid_on(record, date(2026, 1, 5), now=NOW) is NO
    later = Record(licence=licence, moves=(moved(Status.CANCELLED, "2026-02-05T02:00:01+00:00"),))
    assert valid_on(later, date(2020, 1, 1), now=NOW) is YES


def test_a_change_that_held_before_it_was_put_down_counts_from_when_it_held() -> None:
    moves = (
        moved(Status.SUSPENDED, "2026-05-10T00:00:00+00:00"),
        moved(Status.REVOKED, "2026-04-01T00:00:00+00:00"),  # put down later, in force earlier
    )
    assert status_at(moves, datetime(2026, 3, 31, tzinfo=UTC)) is Status.ACTIVE
    assert status_at(moves, datetime(2026, 4, 20, tzinfo=UTC)) is Status.REVOKED
    assert status_at(moves, datetime(2026, 5, 20, tzinfo=UTC)) is Status.REVOKED


def test_how_a_registers_row_stood_says_nothing_of_before() -> None:
    licence = plain_licence(issued_at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC))
    suspended = replace(moved(Status.SUSPENDED, "2026-01-07T02:00:00+00:00"), as_registered=True)
    record = Record(licence=licence, moves=(suspended, moved(Status.ACTIVE, "2026-02-01T02:00:00+00:00")))
    days = [date(2020, 1, 1), date(2026, 1, 6), date(2026, 1, 7), date(2026, 2, 1)]
    assert [valid_on(record, each, now=NOW) for each in days] == [NOT_RECORDED, NOT_RECORDED, NO, YES]


# Age.


@pytest.mark.parametrize(
    ("born", "today", "reached"),
    [
        ("2008-11-23", "2026-11-22", False),
        ("2008-11-22", "2026-11-22", True),
        ("2008-11-21", "2026-11-22", True),
        ("2008-02-29", "2026-02-28", False),
        ("2008-02-29", "2026-03-01", True),
        ("2010-02-28", "2028-02-28", True),
        ("9990-01-01", "9998-01-01", False),
    ],
)
def test_an_age_is_reached_on_the_birthday(born: str, today: str, reached: bool) -> None:  # noqa: FBT001  # expected
    assert age_reached(date.fromisoformat(born), 18, date.fromisoformat(today)) is reached


def test_the_day_of_a_birthday_is_that_of_the_agency() -> None:
    at = datetime(2026, 5, 16, 17, 0, tzinfo=UTC)  # 01:00 of the 17th in Shanghai
    for zone, expected in (("Asia/Shanghai", YES), ("America/Los_Angeles", NO)):
        licence = plain_licence(timezone=zone)  # born on 17 May 2010
        assert said(licence, "holder_age_at_least", {"age": 16}, now=at) is expected


def test_an_age_out_of_a_citizen_number() -> None:
    def age(code: str, code_type: str, about: str = "", years: int = 34) -> Answer:
        holder = Holder(name="沈样宁", code=code, code_type=code_type)
        licence = plain_licence(type_code="practitioner-licence", holders=(holder,))
        return said(licence, "holder_age_at_least", {"age": years}, about=about)

    assert age("990202198911295727", "111", years=36) is YES
    assert age("990202198911295727", "111", years=37) is NO
    assert age("99030319970910900X", "111", "99030319970910900x", years=29) is YES
    assert age("990202198911295727", "414") is NOT_RECORDED
    assert age("990202198911295727", "111", STRANGER) is YES
    assert age("990202198911295727", "111", MOTHER) is NOT_RECORDED
    assert age("", "") is NOT_RECORDED


# Relations.


@pytest.mark.parametrize(
    ("relation", "about", "code", "expected"),
    [
        ("parent_of", MOTHER, CHILD, YES),
        ("parent_of", FATHER, CHILD, YES),
        ("parent_of", STRANGER, CHILD, NO),
        ("mother_of", MOTHER, CHILD, YES),
        ("mother_of", FATHER, CHILD, NO),
        ("father_of", FATHER, CHILD, YES),
        ("child_of", CHILD, MOTHER, YES),
        ("child_of", CHILD, FATHER, YES),
        ("child_of", CHILD, STRANGER, NO),
        ("child_of", CHILD, f" {MOTHER} ", YES),
    ],
)
def test_kin_is_as_recorded(relation: str, about: str, code: str, expected: Answer) -> None:
    assert said(plain_licence(), "holder_is", {"relation": relation, "code": code}, about=about) is expected


def test_who_is_not_recorded_may_be_the_one() -> None:
    licence = plain_licence(without(birth_request(), "father_name", "father_code"))
    for relation, about, code, expected in (
        ("child_of", CHILD, STRANGER, NOT_RECORDED),
        ("child_of", CHILD, MOTHER, YES),
        ("parent_of", STRANGER, CHILD, NOT_RECORDED),
        ("mother_of", STRANGER, CHILD, NO),
        ("father_of", STRANGER, CHILD, NOT_RECORDED),
        ("father_of", "", CHILD, NOT_RECORDED),
    ):
        assert said(licence, "holder_is", {"relation": relation, "code": code}, about=about) is expected, relation


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.ACTIVE])
def test_what_does_not_stand_answers_nothing_else(status: Status) -> None:
    licence = plain_licence(status=status)
    assert said(licence, "holder_is", {"relation": "child_of", "code": MOTHER}) is NOT_RECORDED
    assert said(plain_licence(effective_on=date(2027, 1, 1)), "holder_age_at_least", {"age": 1}) is NOT_RECORDED


# Texts and amounts.


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("一般项目：餐饮服务；茶具销售。", "餐饮服务", True),
        ("一般项目：餐饮服务；茶具销售。", "饮服", True),
        ("一般项目：餐饮服务；茶具销售。", "餐 饮 服 务", True),
        ("Ⅰ类医疗器械", "I类医疗器械", True),
        ("（１）食品生产", "(1)食品生产", True),
        ("Limited-Service Restaurants", "restaurants", True),
        ("Limited-Service  Restaurants", "SERVICE RESTAURANTS", True),
        ("Limited-Service Restaurants", "Restaurant", False),
        ("Limited-Service Restaurants", "imited", False),
        ("CAFÉ and bar", "cafe", False),
        ("CAFÉ and bar", "CAFE\u0301", True),
        ("STRASSE 7", "straße", True),
        ("ab restaurants abrestaurants", "restaurants", True),
        ("", "餐饮服务", False),
    ],
)
def test_a_text_includes_wholes(value: str, text: str, expected: bool) -> None:  # noqa: FBT001  # expected
    assert includes(value, text) is expected


def test_amounts_and_equals() -> None:
    licence = plain_licence(company_request())
    assert said(licence, "capital_at_least", {"amount": 1_000_000}) is YES
    assert said(licence, "capital_at_least", {"amount": 5_000_000}) is NO
    assert said(licence, "legal_representative_is", {"text": "林样知 "}) is YES
    assert said(licence, "legal_representative_is", {"text": "林样"}) is NO
    bare = plain_licence(without(company_request(), "registered_capital", "legal_representative", "business_scope"))
    assert said(bare, "capital_at_least", {"amount": 1_000_000}) is NOT_RECORDED
    assert said(bare, "legal_representative_is", {"text": "林样知"}) is NOT_RECORDED
    assert said(bare, "scope_includes", {"text": "餐饮服务"}) is NOT_RECORDED


def test_several_licences_of_one_holder_make_one_answer() -> None:
    valid, text = QuestionKind.VALID_ON, QuestionKind.TEXT_INCLUDES
    assert combined([NO, YES], valid) is YES
    assert combined([NO, NOT_RECORDED], valid) is NOT_RECORDED
    assert combined([NO, NO], valid) is NO
    assert combined([], valid) is combined([], text) is NOT_RECORDED
    assert combined([NO, YES], text) is NOT_RECORDED
    assert combined([YES, YES, NOT_RECORDED], text) is YES


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([MOTHER, "1e3"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["date", "age", "relation", "code", "text", "amount", "x"])


@settings(deadline=None)
@given(
    code=st.sampled_from(["birth-certificate", "business-licence", "practitioner-licence", "seattle-business-licence"]),
    place=st.integers(0, 4),
    parameters=st.dictionaries(NAMES, ANYTHING, max_size=4),
)
def test_whatever_is_asked_is_an_answer_or_a_fault_that_repeats_nothing(
    code: str, place: int, parameters: dict[str, object]
) -> None:
    kind = shipped(code)
    question = kind.questions[place % len(kind.questions)].name
    request = birth_request() if code == "birth-certificate" else company_request()
    try:
        heard = said(plain_licence(request, type_code=code), question, parameters, about=CHILD).value
    except InvalidRequestError as error:
        heard = str(error)
    given_texts = [str(each) for each in parameters.values() if len(str(each)) > 8]
    assert not any(text in heard for text in given_texts)
    assert heard in set(Answer) or "parameters" in heard


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_normalising_twice_changes_nothing_and_a_text_includes_itself(one: str, two: str) -> None:
    assert normalised(normalised(one)) == normalised(one)
    if normalised(one):
        assert includes(one, one)
        assert includes(f"{two}；{one}；{two}", one)
