"""What a person typed and ranked on the feedback page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from reward_synth.errors import UserError
from reward_synth.search.listening import Listener, Round

LONGEST_NAME = 80
"""Characters."""
End = Literal["record", "check", "done", "stop"]
ENDS: dict[str, End] = {"check": "check", "done": "done", "stop": "stop"}


@dataclass(frozen=True)
class Typed:
    """The fields of one form."""

    who: str = ""
    comments: dict[int, str] = field(default_factory=dict)
    """By candidate."""
    comment: str = ""
    """On all of them."""
    places: dict[int, int] = field(default_factory=dict)
    """1 for the best; candidates with one place are equal."""
    program: str = ""
    end: End = "record"

    @classmethod
    def read(cls, form: Mapping[str, str], round_: Round) -> Self:
        """What the fields say of the round's candidates; others are left out."""
        comments, places = {}, {}
        for number in round_.numbers:
            if words := form.get(f"comment-{number}", "").strip():
                comments[number] = words
            place = form.get(f"place-{number}", "")
            if place.isdecimal():
                places[number] = int(place)
        return cls(
            who=" ".join(form.get("who", "").split())[:LONGEST_NAME],
            comments=comments,
            comment=form.get("comment", "").strip(),
            places=places,
            program=form.get("program", "").replace("\r\n", "\n"),
            end=ENDS.get(form.get("end", ""), "record"),
        )

    @property
    def ranking(self) -> list[list[int]]:
        """Best first, equals together."""
        return [
            [number for number, own in self.places.items() if own == place]
            for place in sorted(set(self.places.values()))
        ]

    @property
    def anything(self) -> bool:
        """Whether there is anything to record."""
        return bool(self.comments or self.comment or self.places or self.program.strip())

    def record(self, listener: Listener) -> None:
        """Record all of it.  Raises UserError, and records nothing, where something is wrong."""
        if not listener.who:
            raise UserError("say who you are: a judgement is kept with a name")
        if len(self.places) == 1:
            raise UserError("a ranking needs two policies or more")
        if self.program.strip():
            listener.program(self.program)
        for number, words in self.comments.items():
            listener.comment(words, number)
        if self.comment:
            listener.comment(self.comment)
        if self.places:
            listener.rank(self.ranking)
        if self.end == "done":
            listener.done()
        elif self.end == "stop":
            listener.stop()
