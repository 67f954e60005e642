"""Keeps keys and passwords out of everything that is shown or recorded.

Whatever comes from outside and may repeat a secret (what a provider says, the text of an unexpected
error) goes through :meth:`Secrets.hide` before anybody sees or stores it.
"""

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote

SECRET_NAMES = re.compile(
    r"(^|_)KEYS?(_|$)|APIKEY|TOKENS?(_|$)|SECRET|PASSW|PASSPHRASE|CREDENTIAL|_PWD$"
)
"""Names of environment variables that hold a secret."""
SECRET_SHAPES = re.compile(
    r"\b(?:sk|pk|gsk|xai|hf)[-_][\w*.-]{8,}|\bAIza[\w*-]{8,}|\b(?:Bearer|Basic)\s+[\w*.~+/=-]+"
)
"""What a key or an Authorization header looks like, also one that the provider cut short."""
IN_URL = re.compile(r"(?<=://)[^/\s'\"]+(?=@)")
"""User and password of a URL."""
SHORTEST_KEY = 8
"""Characters; a shorter value of such a variable is a switch or a number."""
SHORTEST_PASSWORD = 4
HIDDEN_USER = "redacted"
"""Stands in a recorded URL for the user and password that it was given with."""


@dataclass(frozen=True)
class Secrets:
    """Every spelling of the secrets that are known, with the name to show in its place."""

    spellings: Mapping[str, str] = field(repr=False)

    @classmethod
    def known(cls, environment: Mapping[str, str] | None = None, texts: Iterable[str] = ()) -> Self:
        """The keys in the environment (this process's if None), and the users and passwords of
        URLs in it and in ``texts``."""
        environment = os.environ if environment is None else environment
        found: dict[str, str] = {}
        for name, value in environment.items():
            if SECRET_NAMES.search(name.upper()) and len(value.strip()) >= SHORTEST_KEY:
                found |= dict.fromkeys(spellings(value.strip()), f"<{name}>")
        for text in (*environment.values(), *texts):
            for pair in IN_URL.findall(text):
                # "user:password", or a token in the user's place
                secret = unquote(pair.partition(":")[2] or pair)
                if len(secret) >= SHORTEST_PASSWORD:
                    whole = spellings(unquote(pair)) | spellings(secret)
                    found |= dict.fromkeys(whole, "<password>")
        return cls(found)

    def hide_known(self, text: str) -> str:
        """``text`` without the secrets themselves; nothing else is changed."""
        for spelling in sorted(self.spellings, key=len, reverse=True):
            text = text.replace(spelling, self.spellings[spelling])
        return text

    def hide(self, text: str) -> str:
        """``text`` without anything that is, or looks like, a secret."""
        return IN_URL.sub(HIDDEN_USER, SECRET_SHAPES.sub("<key>", self.hide_known(text)))


def spellings(secret: str) -> set[str]:
    """A secret as it stands in texts, URLs, JSON and a Basic Authorization header."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], encoded}


def recorded_url(url: str) -> str:
    """``url`` as it may be recorded: with ``redacted`` for user and password."""
    return IN_URL.sub(HIDDEN_USER, url)
