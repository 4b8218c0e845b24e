"""What can go wrong with a form; nothing else leaves this package."""

from __future__ import annotations


class TemplateError(Exception):
    """A form could not be read, compiled or filled in."""

    def __init__(self, message: str, *, field: str = "") -> None:
        """Keep the message and the name of the value concerned ("" if it is about no value)."""
        super().__init__(message)
        self.field = field


class MissingGlyphError(TemplateError):
    """A character that no font of the box has. It is never printed as an empty box."""

    def __init__(self, field: str, char: str) -> None:
        """Name the value and the character."""
        super().__init__(f"{field}: no font of the form has {char!r} (U+{ord(char):04X})", field=field)
        self.char = char

    def __reduce__(self) -> tuple[type[MissingGlyphError], tuple[str, str]]:
        """Pickle by the constructor's arguments, so that a worker process can hand it back."""
        return type(self), (self.field, self.char)


class DoesNotFitError(TemplateError):
    """A value that is too long for its box even at the smallest size allowed. It is never cut."""

    def __init__(self, field: str, detail: str) -> None:
        """Name the value and say how far it is over."""
        super().__init__(f"{field}: {detail}", field=field)
        self.detail = detail

    def __reduce__(self) -> tuple[type[DoesNotFitError], tuple[str, str]]:
        """Pickle by the constructor's arguments."""
        return type(self), (self.field, self.detail)


class ValueFormatError(TemplateError):
    """A value is missing, or not of the kind its box prints (no date, no number, no picture)."""

    def __init__(self, field: str, detail: str) -> None:
        """Name the value and say what was expected."""
        super().__init__(f"{field}: {detail}", field=field)
        self.detail = detail

    def __reduce__(self) -> tuple[type[ValueFormatError], tuple[str, str]]:
        """Pickle by the constructor's arguments."""
        return type(self), (self.field, self.detail)


class LayoutError(TemplateError):
    """A file of the form is wrong. The writer of the form must mend it."""

    def __init__(self, where: str, why: str) -> None:
        """Name the place ("layout.toml box 3 (value scope)", "background.svg <image>") and the reason."""
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why

    def __reduce__(self) -> tuple[type[LayoutError], tuple[str, str]]:
        """Pickle by the constructor's arguments."""
        return type(self), (self.where, self.why)


class FontMissingError(TemplateError):
    """A font the form names is not on this machine, or is another file than the form names."""
