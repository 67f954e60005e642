"""Who may come in: one-time links, a password, and the sessions that they begin.

A link is printed in the terminal and opens one session, in one browser; another device needs
another link.  With a password there are no links: whoever knows it may come in, and guessing is
slowed down.  All of it is in memory and ends with the application.
"""

import ipaddress
import math
import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Literal

MOST_SESSIONS = 1000
"""The oldest ends when there are more."""
FREE_GUESSES = 3
"""Wrong passwords of an address before it has to wait."""
LONGEST_WAIT = 300.0
"""Seconds; each further wrong password doubles the wait up to this."""
MOST_ADDRESSES = 10_000
"""Whose wrong guesses are remembered."""


@dataclass
class Session:
    """One browser of one person."""

    csrf: str = field(default_factory=secrets.token_urlsafe)
    """Stands in every form of this session, where no other site can read it."""
    who: str = ""
    """The name that the person gives."""
    judged: set[tuple[str, int]] = field(default_factory=set)
    """Runs and generations that the person has judged: their scores are shown."""
    _shown: dict[object, list[int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, of: object, numbers: Sequence[int]) -> list[int]:
        """Candidates in the random order in which this session sees them.

        It stays as it is; those that come later follow.
        """
        with self._lock:
            shown = self._shown.setdefault(of, [])
            fresh = [number for number in numbers if number not in shown]
            random.shuffle(fresh)
            shown += fresh
            return [number for number in shown if number in numbers]


class Access:
    """Hands out links, takes them or the password, and knows the sessions."""

    def __init__(
        self,
        password: str | None = None,
        who: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``who`` is the name that sessions begin with."""
        self.by_password = password is not None
        self._password = (password or "").encode()
        self._who = who
        self._clock = clock
        self._lock = threading.Lock()
        self._links: dict[str, str | None] = {}
        """Where a link leads, by its token's digest; None once it is used."""
        self._sessions: dict[str, Session] = {}
        self._guesses: dict[str, tuple[int, float]] = {}
        """Wrong passwords in a row of an address, and when it may try again."""

    def token(self, leads_to: str = "/") -> str:
        """The token of a new link, good for one session."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._links[_digest(token)] = leads_to
        return token

    def redeem(self, token: str) -> tuple[str, str] | Literal["used", "unknown"]:
        """A session's key and where to go, in exchange for a link's token."""
        # Digests are looked up, not tokens: how long that takes tells nothing of a token.
        digest = _digest(token)
        with self._lock:
            if digest not in self._links:
                return "unknown"
            leads_to, self._links[digest] = self._links[digest], None
        return "used" if leads_to is None else (self._begin(), leads_to)

    def wait(self, address: str) -> int:
        """Seconds until an address may try a password again; 0 for now."""
        with self._lock:
            _, ready = self._guesses.get(_network(address), (0, 0.0))
        return max(0, math.ceil(ready - self._clock()))

    def sign_in(self, password: str, address: str) -> str | None:
        """A session's key in exchange for the password; None for a wrong one, or before time."""
        if not self.by_password or self.wait(address):
            return None
        network = _network(address)
        if compare_digest(password.encode("utf-8", "replace"), self._password):
            with self._lock:
                self._guesses.pop(network, None)
            return self._begin()
        with self._lock:
            wrong = self._guesses.pop(network, (0, 0.0))[0] + 1
            pause = 2.0 ** min(wrong - FREE_GUESSES, 16) if wrong > FREE_GUESSES else 0.0
            self._guesses[network] = (wrong, self._clock() + min(pause, LONGEST_WAIT))
            if len(self._guesses) > MOST_ADDRESSES:
                del self._guesses[next(iter(self._guesses))]
        return None

    def session(self, key: str) -> Session | None:
        """The session of a cookie."""
        return self._sessions.get(_digest(key))

    def _begin(self) -> str:
        key = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[_digest(key)] = Session(who=self._who)
            if len(self._sessions) > MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
        return key


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def _network(address: str) -> str:
    """An address, or the IPv6 network of which one household has all addresses."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 6:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return address
