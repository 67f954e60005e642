"""What the pages share: the store, templates, films, and who is there."""

import threading
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path, Request

from reward_synth.store import Store
from reward_synth.web.access import Access, Session
from reward_synth.web.films import Films
from reward_synth.web.pages import Pages


@dataclass(frozen=True)
class Context:
    """One application's."""

    store: Store
    access: Access
    pages: Pages
    films: Films
    closing: threading.Event = field(default_factory=threading.Event)
    """Set when the server is told to end: a stream has to end by itself."""


def _context(request: Request) -> Context:
    return request.app.state.context


def _visitor(request: Request) -> Session:
    return request.state.session


Here = Annotated[Context, Depends(_context)]
Visitor = Annotated[Session, Depends(_visitor)]
"""The session; the gate lets nobody in without one."""
Number = Annotated[int, Path(ge=0, le=999_999_999)]
"""A candidate's, as a path names it; a database takes no longer ones."""
