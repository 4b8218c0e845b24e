"""A clock that tests move by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(kw_only=True, slots=True)
class Clock:
    """Gives the moment it is set to; starts at the real one, whole seconds."""

    at: datetime

    @classmethod
    def started(cls) -> "Clock":
        """A clock at the present second."""
        return cls(at=datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        """The moment, aware UTC."""
        return self.at

    def move(self, **parts: float) -> None:
        """Go forward (or back) by `timedelta(**parts)`."""
        self.at += timedelta(**parts)
