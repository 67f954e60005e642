"""The attacks on the reward language: programs that try to do what a reward must not.

A file ``language/FAMILY/NAME.py`` is one attack, and says in its first lines what becomes of it:

    # refused: line 4, column 9: imports are not allowed
        The check refuses it; the first finding begins with these words.
    # harmless: a comment is not continued
        It passes the check, for the reason given, and has no effect but its return value.
    # probe: non-finite
        A harmless one that the probe refuses: the codes of its errors.

Those that are too long or too odd for a file are functions in ``generated``.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.attacks.generated import GENERATED

FOLDER = Path(__file__).parent / "language"


@dataclass(frozen=True)
class Attack:
    """One program and what is to become of it."""

    family: str
    name: str

    @cached_property
    def source(self) -> str:
        if self.name in GENERATED:
            return GENERATED[self.name]()
        # As it is: reading it as text would change its line ends.
        return (FOLDER / self.family / f"{self.name}.py").read_bytes().decode()

    @cached_property
    def remarks(self) -> dict[str, str]:
        """``refused``, ``harmless`` and ``probe``, as far as the attack states them."""
        if self.name in GENERATED:
            lines = (GENERATED[self.name].__doc__ or "").splitlines()
        else:
            lines = [line[2:] for line in self.source.splitlines() if line.startswith("# ")]
        pairs = [line.strip().partition(": ") for line in lines]
        known = ("refused", "harmless", "probe")
        return {word: said for word, _, said in pairs[:2] if word in known}

    @property
    def refused(self) -> bool:
        return "refused" in self.remarks

    def __str__(self) -> str:
        return f"{self.family}/{self.name}"


ATTACKS = [
    *(Attack(path.parent.name, path.stem) for path in sorted(FOLDER.glob("*/*.py"))),
    *(Attack(name.partition("_")[0], name) for name in GENERATED),
]
