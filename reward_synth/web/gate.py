"""What every request passes before a page sees it, and what every answer carries.

A request has to name this machine (a page of another site that was rebound to this address does
not), come with a session, and, where it changes something, from a page of this application with
its session's token.  Its body is bounded.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Mapping
from hmac import compare_digest
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reward_synth.web.access import Access, Session
from reward_synth.web.pages import Pages

BODY_LIMIT = 512 * 2**10
"""Bytes of a request; a program and comments have a few thousand."""
BODY_SECONDS = 30.0
"""In which a body has to arrive."""
MOST_FIELDS = 2000
FORM = "application/x-www-form-urlencoded"
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""The hash of nothing: plotly makes an empty style element, and adds its rules one by one."""
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {EMPTY_STYLE}; "
    "img-src 'self' data: blob:; media-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OPEN = ("/enter", "/static/")
"""What is there without a session."""
DEFECT = "This is a defect of RewardSynth; the terminal that serves this page tells more."
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusalError(Exception):
    """A request that goes no further: a status, what is wrong, and what to do."""

    def __init__(self, status: int, title: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.title = title


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, access: Access, hosts: Collection[str], pages: Pages) -> None:
        """``hosts`` are the names under which the application is reached."""
        self.app = app
        self.access = access
        self.hosts = hosts
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope, receive)
        try:
            answer = await self.check(request)
        except RefusalError as refusal:
            answer = self.pages.message(request, refusal.status, refusal.title, str(refusal))
        if answer is not None:
            await answer(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, _replay(await request.body(), receive), send_with_headers)
        except Exception:
            if not started:
                told = self.pages.message(request, 500, "Something went wrong", DEFECT)
                await told(scope, receive, send_with_headers)
            raise  # the server prints it

    async def check(self, request: Request) -> Response | None:
        """None for a request that may go on, with ``session`` and ``form`` in its state.

        Raises RefusalError.
        """
        request.state.session, request.state.form = None, {}
        check_host(request.headers, self.hosts)
        if request.method not in ("GET", "HEAD", "POST"):
            raise RefusalError(405, "No such request", "Pages are read, and forms are sent.")
        key = request.cookies.get(cookie_name(request))
        session = self.access.session(key) if key else None
        request.state.session = session
        if request.method == "POST":
            check_origin(request.headers)
            request.state.form = await read_form(request)
        if request.url.path.startswith(OPEN):
            return None
        if session is None:
            return self.outside(request)
        if request.method == "POST":
            check_token(request, session)
        return None

    def outside(self, request: Request) -> Response:
        """The answer to somebody without a session."""
        way = request.headers.get("sec-fetch-site")
        if request.method == "GET" and way == "cross-site":
            # A browser keeps the cookie back from a link on another site: ask again from here.
            return self.pages.render(request, "again.html.j2", path=request.url.path)
        if self.access.by_password and request.method == "GET":
            return RedirectResponse(f"/enter?next={quote(request.url.path)}", 303)
        how = (
            "Sign in first."
            if self.access.by_password
            else "Open the link that the terminal prints; Enter in that terminal prints a new one."
        )
        raise RefusalError(401, "This browser has not come in yet", how)


def check_host(headers: Headers, hosts: Collection[str]) -> None:
    """Raises RefusalError where the Host header names another machine (DNS rebinding).

    Addresses are let through where ``hosts`` has ``*``, for no name is bound to them.
    """
    given = headers.getlist("host")
    try:
        name = urlsplit(f"//{given[0]}").hostname if len(given) == 1 else None
    except ValueError:
        name = None
    if name is not None and (name in hosts or ("*" in hosts and is_address(name))):
        return
    raise RefusalError(421, "Another machine's name", "Use the address that the terminal prints.")


def known_hosts(host: str) -> list[str]:
    """The names under which an application that is bound to ``host`` is reached."""
    if is_loopback(host):
        return list(LOOPBACK)
    name = socket.gethostname().lower()
    return [*LOOPBACK, host.lower(), name, f"{name}.local", "*"]


def is_loopback(host: str) -> bool:
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def check_origin(headers: Headers) -> None:
    """Raises RefusalError for what another site's page sends, as browsers tell.

    Pages that name no referrer, as these, send ``null`` for their origin; and browsers tell the
    site only where the address is encrypted or this machine's.  The session's token holds always.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    foreign = site is not None and site != "same-origin"
    if origin not in (None, "null"):
        foreign = foreign or urlsplit(origin).netloc != headers.get("host")
    if foreign:
        raise RefusalError(403, "Sent from another site", "Nothing was recorded.")


def check_token(request: Request, session: Session) -> None:
    """Raises RefusalError for a form without its session's token."""
    given = request.headers.get("x-csrf-token") or request.state.form.get("csrf", "")
    if not compare_digest(given.encode(), session.csrf.encode()):
        raise RefusalError(
            403, "A form of another session", "Nothing was recorded; load the page again."
        )


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a bounded body; the last of those with one name.  Raises RefusalError."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_LIMIT:
                    limit = BODY_LIMIT // 2**10
                    raise RefusalError(413, "Too much", f"A request may have {limit} KiB.")
    except TimeoutError as error:
        raise RefusalError(408, "Too slow", "The request did not arrive.") from error
    request._body = bytes(body)  # where starlette itself keeps what it has read
    if body and not request.headers.get("content-type", "").startswith(FORM):
        raise RefusalError(415, "No form", f"Send {FORM}.")
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"
        )
    except ValueError as error:  # which a UnicodeDecodeError is
        raise RefusalError(400, "No form", "The fields cannot be read.") from error
    return dict(fields)


def cookie_name(request: Request) -> str:
    """Of the session; browsers share cookies between the ports of a machine."""
    return f"reward-synth-{(request.scope.get('server') or ('', 0))[1]}"


def _replay(body: bytes, receive: Receive) -> Receive:
    """``receive`` for whoever reads the body after the gate has."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
