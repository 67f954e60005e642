"""What the reward language says when it refuses a program."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

MOST_FINDINGS = 50
"""More than anybody reads at once."""


@dataclass(frozen=True, order=True)
class Finding:
    """One refusal: where (line and column count from 1), what, and what to write instead."""

    line: int
    column: int
    code: str
    """A stable word for machines, such as ``unknown-name``."""
    message: str
    instead: str = ""

    def __str__(self) -> str:
        advice = f"; {self.instead}" if self.instead else ""
        return f"line {self.line}, column {self.column}: {self.message}{advice}"


class RewardError(Exception):
    """A reward program that was refused, or that failed while it ran."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


class EnoughFindings(Exception):
    """A program is so wrong that nothing more need be said of it."""


class Refused(Exception):
    """A refusal on its way to the list of findings."""

    def __init__(self, node: ast.AST, code: str, message: str, instead: str) -> None:
        super().__init__(message)
        self.node, self.code, self.message, self.instead = node, code, message, instead


class TooMuchWork(Refused):
    """Nothing more is looked at after this one."""


class Silent(Refused):
    """Something below was refused already: stop, and say nothing more."""

    def __init__(self, node: ast.AST) -> None:
        super().__init__(node, "", "", "")
