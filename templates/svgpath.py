"""The path data of SVG (SVG 2, chapter 9) as moves."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from templates.drawing import arc

if TYPE_CHECKING:
    from templates.drawing import Move

_TOKEN = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_SEPARATOR = re.compile(r"[\s,]*")
_ARITY = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_MAX_NUMBERS = 200_000
_FLAG_PLACES = (3, 4)


def numbers(text: str) -> list[float]:
    """Return numbers separated by blanks or commas.

    Raises:
        ValueError: something else stands there.
    """
    values = [float(part) for part in text.replace(",", " ").split()]
    if not all(math.isfinite(value) for value in values):
        raise ValueError("a number is not finite")
    return values


class _Scanner:
    """Reads letters and numbers one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.left = _MAX_NUMBERS

    def skip(self) -> bool:
        match = _SEPARATOR.match(self.text, self.position)
        self.position = match.end() if match else self.position
        return self.position < len(self.text)

    def letter(self) -> str:
        """Return a command letter, or "" if a number follows."""
        char = self.text[self.position]
        if char in "MmLlHhVvCcSsQqTtAaZz":
            self.position += 1
            return char
        return ""

    def number(self, *, flag: bool = False) -> float:
        self.skip()
        if flag and self.text[self.position : self.position + 1] in ("0", "1"):
            self.position += 1
            return float(self.text[self.position - 1])
        match = _TOKEN.match(self.text, self.position)
        self.left -= 1
        if not match or match[2] is None or flag:
            raise ValueError(f"a number is expected at character {self.position}")
        if self.left < 0:
            raise ValueError("too many numbers")
        self.position = match.end()
        return float(match[2])


class _Pen:
    """Turns commands into moves."""

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.x = self.y = self.start_x = self.start_y = 0.0
        self.control: tuple[float, float] | None = None
        self.last = ""

    def go(self, command: str, values: list[float]) -> None:  # noqa: C901 -- one arm for each command letter
        upper = command.upper()
        if command != upper:
            values = self.absolute(upper, values)
        x, y = self.x, self.y
        mirror = (x, y)
        if self.control and self.last in ("CS" if upper == "S" else "QT"):
            mirror = (2 * x - self.control[0], 2 * y - self.control[1])
        self.control = None
        match upper, values:
            case "M", [a, b]:
                self.moves.append(("M", (a, b)))
                self.x, self.y = self.start_x, self.start_y = a, b
            case "L", [a, b]:
                self.line(a, b)
            case "H", [a]:
                self.line(a, y)
            case "V", [b]:
                self.line(x, b)
            case "C", [a, b, c, e, f, g]:
                self.cubic(a, b, c, e, f, g)
            case "S", [c, e, f, g]:
                self.cubic(*mirror, c, e, f, g)
            case "Q", [a, b, c, e]:
                self.quadratic(a, b, c, e)
            case "T", [c, e]:
                self.quadratic(*mirror, c, e)
            case "A", [rx, ry, turn, large, sweep, a, b]:
                self.moves.extend(arc((x, y), (rx, ry, turn), (large != 0, sweep != 0), (a, b)))
                self.x, self.y = a, b
            case _:
                self.moves.append(("Z", ()))
                self.x, self.y = self.start_x, self.start_y
        self.last = upper

    def absolute(self, upper: str, values: list[float]) -> list[float]:
        if upper == "H":
            return [values[0] + self.x]
        if upper == "V":
            return [values[0] + self.y]
        if upper == "A":
            return [*values[:5], values[5] + self.x, values[6] + self.y]
        return [value + (self.y if index % 2 else self.x) for index, value in enumerate(values)]

    def line(self, x: float, y: float) -> None:
        self.moves.append(("L", (x, y)))
        self.x, self.y = x, y

    def cubic(self, *values: float) -> None:
        self.moves.append(("C", values))
        self.control = (values[2], values[3])
        self.x, self.y = values[4], values[5]

    def quadratic(self, a: float, b: float, x: float, y: float) -> None:
        first = (self.x + 2 / 3 * (a - self.x), self.y + 2 / 3 * (b - self.y))
        second = (x + 2 / 3 * (a - x), y + 2 / 3 * (b - y))
        self.moves.append(("C", (*first, *second, x, y)))
        self.control = (a, b)
        self.x, self.y = x, y


def path_moves(text: str) -> list[Move]:
    """Return the moves of a `d` attribute; relative commands, smooth curves and arcs resolved.

    Raises:
        ValueError: the data is not well formed.
    """
    scanner, pen = _Scanner(text), _Pen()
    command = ""
    while scanner.skip():
        letter = scanner.letter()
        if letter:
            command = letter
        elif not command or command in "Zz":
            raise ValueError(f"a command is expected at character {scanner.position}")
        if not pen.moves and command not in "Mm":
            raise ValueError("must begin with M")
        count = _ARITY[command.upper()]
        values = [scanner.number(flag=command in "Aa" and place in _FLAG_PLACES) for place in range(count)]
        pen.go(command, values)
        command = {"M": "L", "m": "l"}.get(command, command)
    return pen.moves
