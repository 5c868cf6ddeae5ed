"""The error tree: what happened, the value, what is allowed, the remedy.

Every error is a `DarksectorError` and the built-in exception a caller would expect.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DarksectorError(Exception):
    """Root of all errors that this package raises on purpose."""


class OutOfDomain(DarksectorError, ValueError):
    """A number outside the range in which its formula means something."""


class InvalidCard(DarksectorError, ValueError):
    """A card or plugin that does not declare what its kind needs."""


class MissingNumber(DarksectorError, LookupError):
    """Numbers that a card leaves out and a calculation needs."""

    def __init__(self, card: str, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"the card of {card} has no {', '.join(self.names)}; add what is missing with "
            "its source, or choose a card with optics."
        )


class InvalidConfig(DarksectorError, ValueError):
    """A run configuration or command-line value that cannot be understood."""


class InvalidFile(DarksectorError, ValueError):
    """An input file that is damaged, incomplete or of another experiment."""


class OutputError(DarksectorError, OSError):
    """An output folder that cannot take the results of this run."""


class NotConverged(DarksectorError, ArithmeticError):
    """An integral, fit or root search that did not reach its precision."""


class MissingExtra(DarksectorError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed; "
            f"install it with: pip install 'darksector[{extra}]'."
        )


class UnknownName(DarksectorError, KeyError):
    """A name that no registry knows; the message lists the closest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        close = difflib.get_close_matches(name, self.known, n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        self.message = (
            f"no {kind} is called {name!r}.{hint} Known: {', '.join(self.known)}."
        )
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message  # KeyError would show the repr
