"""Which error codes can leave the HTTP edge: read out of the source, by what the API imports.

A code is written as the keyword `code` of an error, as an error class's own `code`, or as an argument of a function
that hands it on to one (followed through modules by name). What is computed stands in `COMPUTED`, each with its codes.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from api.problems import _CODE_OF_STATUS, STATUS
from certlib.grants import Rule
from certlib.identifiers import _WARNING_REASONS
from certlib.lawfulness import KIND_FORMS
from certlib.store.uses import REFUSED

ROOT = Path(__file__).resolve().parents[2]
FAULT = "FieldFault"
RULE = re.compile(r"Rule\.([A-Z_]+)(?:\.value)?")
_RULES = {("403", each.value) for each in Rule}
_ENDS = {("403", code) for _, code in REFUSED.values()}
COMPUTED: dict[str, set[tuple[str, str]]] = {
    "api.deps:read_as": set(),  # pydantic's own names of errors
    "api.problems:http_error": {(str(int(status)), code) for status, code in _CODE_OF_STATUS.items()},
    "api.problems:problem_of": set(),  # of an error that is read elsewhere
    "certlib.collecting.feeding:admitted": _RULES,
    "certlib.foreign:_opened": set(),  # of a trust pack that the library's operator imports
    "certlib.holding.sessions:require_holder": set(),  # of a fault that is read elsewhere, and so on
    "certlib.identifiers:parse_identifier": {(FAULT, code) for code in _WARNING_REASONS},
    "certlib.intake.csvfile:_named": set(),
    "certlib.lawfulness:_previous_faults": set(),
    "certlib.lawfulness:_value_fault": {(FAULT, each[2]) for each in KIND_FORMS},
    "certlib.lifecycle_bulk:_with_contents": set(),
    "certlib.making:refusal": {(FAULT, "no_glyph"), (FAULT, "does_not_fit"), (FAULT, "bad_value")},
    "certlib.sharing.admission:admit": _RULES,
    "certlib.sharing.comparing:_kind_fault": set(),
    "certlib.sharing.holdings:_admissions": _RULES,
    "certlib.sharing.uses:require_readable": {("403", "interface_not_asked"), *_ENDS},
    "certlib.store.uses:require_granted": {("403", "use_not_granted"), *_ENDS},
}
"""Module and function whose code is computed -> status, or `FieldFault`, and code."""


@dataclass
class Module:
    """A module's tree, and where its names come from."""

    name: str
    tree: ast.Module
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name here -> module and name there."""


@dataclass
class Found:
    """What was found."""

    codes: set[tuple[str, str]] = field(default_factory=set)
    """Status, or `FieldFault`, and code."""
    computed: set[str] = field(default_factory=set)
    """Places whose code is neither written nor handed on."""

    @property
    def faults(self) -> set[str]:
        """Codes of faults of fields."""
        return {code for kind, code in self.codes if kind == FAULT and code}

    @property
    def problems(self) -> dict[str, set[str]]:
        """Code of a problem -> its statuses."""
        found: dict[str, set[str]] = {}
        for kind, code in self.codes:
            if kind != FAULT:
                found.setdefault(code, set()).add(kind)
        return found


def modules() -> dict[str, Module]:
    """All modules of ours that the API imports, itself among them."""
    found: dict[str, Module] = {}
    waiting = [_name(path) for path in (ROOT / "api").rglob("*.py")]
    while waiting:
        name = waiting.pop()
        path = next((each for each in _paths(name) if each.is_file()), None)
        if name in found or path is None:
            continue
        module = Module(name, ast.parse(path.read_text("utf-8")))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                module.imported |= {each.asname or each.name: (node.module, each.name) for each in node.names}
                waiting += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            elif isinstance(node, ast.Import):
                waiting += [each.name for each in node.names]
        found[name] = module
    return {name: each for name, each in found.items() if name.partition(".")[0] in {"api", "certlib"}}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _paths(name: str) -> tuple[Path, Path]:
    base = ROOT.joinpath(*name.split("."))
    return base.with_suffix(".py"), base / "__init__.py"


class Reader:
    """Follows codes through the modules."""

    def __init__(self) -> None:
        self.modules = modules()
        self.errors = self._error_classes()
        self.carriers: dict[tuple[str, str], set[tuple[str, str]]] = {}
        """Module and function -> its parameters that are a code, each with the code's kind."""
        self.found = Found()

    def read(self) -> Found:
        """All codes; twice round until nothing more hands a code on."""
        known = -1
        while known != sum(map(len, self.carriers.values())):
            known = sum(map(len, self.carriers.values()))
            self.found = Found()
            for module in self.modules.values():
                self._module(module)
        for place in self.found.computed & COMPUTED.keys():
            self.found.codes |= COMPUTED[place]
        return self.found

    def _error_classes(self) -> dict[str, str]:
        """Error class of the library -> its status; a class without one of its own has its parent's."""
        bases = {
            node.name: [ast.unparse(each).rpartition(".")[2] for each in node.bases]
            for module in self.modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef)
        }
        known = {kind.__name__: str(int(status)) for kind, status in STATUS.items()}
        while more := {
            name: known[parent] for name, of in bases.items() for parent in of if parent in known and name not in known
        }:
            known |= more
        return known

    def _module(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and node.name in self.errors:
                for each in node.body:
                    if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "code":
                        self._take(module, None, self.errors[node.name], each.value)
        for scope, call in _calls(module.tree):
            for kind, value in self._codes_of(module, call):
                self._take(module, scope, kind, value)

    def _codes_of(self, module: Module, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """Each code that is an argument of a call, with its kind."""
        name = ast.unparse(call.func).rpartition(".")[2]
        given = {each.arg: each.value for each in call.keywords if each.arg}
        if name in self.errors or name == FAULT:
            if "code" in given:
                yield self.errors.get(name, FAULT), given["code"]
            return
        if name == "problem" and module.name.startswith("api"):
            yield str(int(_status(call.args[0]))), call.args[1]
            return
        if name == "HTTPException":
            status = _status(call.args[0])
            code = _CODE_OF_STATUS.get(status, status.phrase.lower().replace(" ", "_"))
            yield str(int(status)), ast.Constant(code)
            return
        key = self._target(module, call.func)
        for parameter, kind in list(self.carriers.get(key, ())):
            names = _parameters(self._function(key))
            if parameter in given:
                yield kind, given[parameter]
            elif parameter in names and names.index(parameter) < len(call.args):
                yield kind, call.args[names.index(parameter)]

    def _target(self, module: Module, func: ast.expr) -> tuple[str, str]:
        if isinstance(func, ast.Name):
            return module.imported.get(func.id, (module.name, func.id))
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            of = module.imported.get(func.value.id)
            return (f"{of[0]}.{of[1]}" if of else module.name, func.attr)
        return ("", "")

    def _function(self, key: tuple[str, str]) -> ast.FunctionDef:
        return next(
            node
            for node in ast.walk(self.modules[key[0]].tree)
            if isinstance(node, ast.FunctionDef) and node.name == key[1]
        )

    def _take(self, module: Module, scope: ast.FunctionDef | None, kind: str, value: ast.expr) -> None:
        """Put a code down, or who hands it on."""
        if isinstance(value, ast.Constant):
            if value.value is not None:
                self.found.codes.add((kind, str(value.value)))
        elif (rule := RULE.fullmatch(ast.unparse(value))) is not None:
            self.found.codes.add((kind, Rule[rule[1]].value))
        elif isinstance(value, ast.IfExp):
            self._take(module, scope, kind, value.body)
            self._take(module, scope, kind, value.orelse)
        elif isinstance(value, ast.BoolOp):
            for each in value.values:
                self._take(module, scope, kind, each)
        elif isinstance(value, ast.Name) and scope is not None and value.id in _parameters(scope):
            self.carriers.setdefault((module.name, scope.name), set()).add((value.id, kind))
        elif isinstance(value, ast.Name) and (assigned := _assigned(scope or module.tree, module.tree, value.id)):
            for each in assigned:
                self._take(module, scope, kind, each)
        else:
            self.found.computed.add(f"{module.name}:{scope.name if scope else ''}")


def _status(written: ast.expr) -> HTTPStatus:
    name = ast.unparse(written).removeprefix("HTTPStatus.")
    return HTTPStatus[name] if name in HTTPStatus.__members__ else HTTPStatus.INTERNAL_SERVER_ERROR


def _calls(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Each call with the innermost function around it that is not a lambda."""

    def walk(node: ast.AST, scope: ast.FunctionDef | None) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
        if isinstance(node, ast.Call):
            yield scope, node
        inner = node if isinstance(node, ast.FunctionDef) else scope
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inner)

    return walk(tree, None)


def _parameters(function: ast.FunctionDef) -> list[str]:
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return [*names, *(each.arg for each in function.args.kwonlyargs)]


def _assigned(scope: ast.AST, tree: ast.Module, name: str) -> list[ast.expr]:
    """What a local name, or else one of the module, is given."""
    for where in (scope, tree):
        found = [
            node.value
            for node in ast.walk(where)
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value is not None
            and name
            in {ast.unparse(each) for each in ([node.target] if isinstance(node, ast.AnnAssign) else node.targets)}
        ]
        if found:
            return found
    return []
