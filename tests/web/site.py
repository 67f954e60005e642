"""The application as a browser meets it: a real server on loopback, and somebody who came in."""

import re
import threading
from collections.abc import Callable
from typing import Self

import httpx

from reward_synth.store import Store
from reward_synth.web.access import Access
from reward_synth.web.app import create_app
from reward_synth.web.gate import known_hosts
from reward_synth.web.serve import Server, bind


class Site:
    """Serves a store's pages while its ``with`` block lasts."""

    def __init__(
        self,
        store: Store,
        password: str | None = None,
        who: str = "",
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.store = store
        self.access = Access(password, who, clock)
        self.app = create_app(store, self.access, known_hosts("127.0.0.1"))
        self.films = self.app.state.context.films
        self.socket = bind("127.0.0.1", 0)
        self.socket.listen()
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = Server(self.app)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True
        )
        self.browsers: list[httpx.Client] = []

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for browser in self.browsers:
            browser.close()
        self.server.closing.set()
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()

    def link(self, path: str = "/") -> str:
        return f"http://{self.host}/enter?token={self.access.token(path)}"

    def stranger(self) -> httpx.Client:
        """A browser that has not come in."""
        browser = httpx.Client(base_url=f"http://{self.host}", timeout=60.0)
        self.browsers.append(browser)
        return browser

    def visitor(self) -> httpx.Client:
        """A browser that came in by a link."""
        browser = self.stranger()
        assert browser.get(self.link()).status_code == 303
        return browser


def csrf(page: httpx.Response) -> str:
    """The token in a page's form."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]
