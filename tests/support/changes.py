"""Orders of changes, and types that ask for a second person."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from certlib.changing import ChangeOrder
from certlib.library import Library
from certlib.operations import ADVERSE, NEW_VERSIONS, Operation
from certlib.store.engine import writing

HOLDER = [{"name": "样本市远航贸易有限公司", "code": "91990200MA7EXAM18U", "code_type": "001"}]
RENEWED: dict[Operation, dict[str, Any]] = {
    Operation.RENEW: {"expires_on": None},
    Operation.CORRECT: {"fields": {"address": "样本市江湾区望湖街道听潮路168号"}},
    Operation.TRANSFER: {"holders": HOLDER},
}


def order(operation: Operation | str, *, operator: str = "zhang", **parts: Any) -> ChangeOrder:  # noqa: ANN401  # of an order
    """A lawful order."""
    operation = Operation(operation)
    known: dict[str, Any] = {
        "reason": "检查不合格",
        "document_number": "样市监〔2026〕12号" if operation in ADVERSE else "",
        "renewed": RENEWED[operation] if operation in NEW_VERSIONS else {},
    }
    return ChangeOrder(operation=operation, operator=operator, **(known | parts))


def lay_down(library: Library, lifecycle: str, *, type_code: str = "business-licence") -> None:
    """Let the type on record say `lifecycle` from now on, as its next version would."""
    with writing(library.store) as conn:
        query = text("UPDATE licence_type SET type_toml = type_toml || :more WHERE code = :code")
        conn.execute(query, {"more": f"\n[lifecycle]\n{lifecycle}\n", "code": type_code})


class CrashError(Exception):
    """The power is gone."""


class CrashAt:
    """Raises after the named step, at its n-th time."""

    def __init__(self, step: str, times: int = 1) -> None:
        self.step, self.times = step, times

    def __call__(self, name: str) -> None:
        if name == self.step:
            self.times -= 1
            if self.times == 0:
                raise CrashError(name)


def at(text_value: str) -> datetime:
    """A moment."""
    return datetime.fromisoformat(text_value)
