"""``reward-synth dashboard``, and the serving that ``feedback --web`` shares with it."""

import getpass
import os
import socket
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli.options import RUNS_DIR, RunsDir
from reward_synth.cli.output import console
from reward_synth.cli.recorded import open_store
from reward_synth.errors import UserError

if TYPE_CHECKING:
    from reward_synth.search.listening import Round
    from reward_synth.store import Store
    from reward_synth.web.films import Films

EXAMPLE = """Examples:

reward-synth dashboard

reward-synth dashboard --host 0.0.0.0 --port 8000"""
HOST, PORT = "127.0.0.1", 8642
EVERYWHERE = ("0.0.0.0", "::")
"""All of a machine's addresses; none that a browser could open."""
PASSWORD = "REWARD_SYNTH_PASSWORD"
SHORTEST_PASSWORD = 8

Host = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="H",
        help=f"Where to listen. Any but this machine alone demands a password: from {PASSWORD}, or "
        "asked for.",
    ),
]
Port = Annotated[
    int, typer.Option("--port", metavar="P", min=0, max=65535, help="0 is any that is free.")
]
Open = Annotated[
    bool, typer.Option("--open/--no-open", help="Open the page in this machine's browser.")
]


def dashboard(
    host: Host = HOST,
    port: Port = PORT,
    open_browser: Open = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """Show all runs in the browser, and those under way live.

    Prints a link that lets one browser in, once; Enter prints another one. Ctrl-C ends it.
    """
    check_extra()
    with open_store(runs_dir) as store:
        serve_pages(store, host=host, port=port, open_browser=open_browser)


def serve_feedback(
    store: "Store",
    run: str,
    film: "Round | None",
    host: str,
    port: int,
    who: str,
    *,
    open_browser: bool,
) -> None:
    """Serve a store's pages from a run's feedback page on; films the policies of ``film``."""

    def prepare(films: "Films") -> None:
        if film is not None:
            for candidate in film.candidates:
                films.ask(film.run, candidate)

    path = f"/runs/{run}/feedback"
    serve_pages(
        store, host=host, port=port, path=path, who=who, open_browser=open_browser, prepare=prepare
    )


def check_extra() -> None:
    """Raises UserError where the extra ``web`` is not installed."""
    if any(find_spec(name) is None for name in ("fastapi", "uvicorn")):
        raise UserError("web pages need an extra: pip install 'reward-synth[web]'")


def serve_pages(
    store: "Store",
    *,
    host: str,
    port: int,
    path: str = "/",
    who: str = "",
    open_browser: bool = False,
    prepare: "Callable[[Films], None]" = lambda films: None,
) -> None:
    """Serve a store's pages until Ctrl-C; the link leads to ``path``."""
    from reward_synth.web.access import Access
    from reward_synth.web.app import create_app
    from reward_synth.web.gate import is_loopback, known_hosts
    from reward_synth.web.serve import bind, serve

    password = None if is_loopback(host) else password_for(host)
    with bind(host, port) as listening:
        access = Access(password, who)
        app = create_app(store, access, known_hosts(host))
        prepare(app.state.context.films)
        name = socket.gethostname() if host in EVERYWHERE else host
        shown = f"[{name}]" if ":" in name else name
        base = f"http://{shown}:{listening.getsockname()[1]}"
        out = console()

        def link() -> str:
            return base + (path if password else f"/enter?token={access.token(path)}")

        def tell() -> None:
            out.print(link(), soft_wrap=True)

        if password is None:
            out.print("Open this link; it lets one browser in, once. Enter prints a new one.")
        else:
            out.print(
                "Open this address from any machine that reaches this one, with the password. It "
                "is not encrypted: in a network that you do not trust, use `ssh -L` instead.",
            )
        tell()
        out.print("Ctrl-C ends it.", style="dim")
        if open_browser:
            import webbrowser

            webbrowser.open(link())
        serve(app, listening, tell if password is None else None)


def password_for(host: str) -> str:
    """From the environment or the terminal.  Raises UserError for none, and for a short one."""
    password = os.environ.get(PASSWORD)
    if password is None:
        try:
            password = getpass.getpass(f"Password for whoever opens the pages on {host}: ")
        except EOFError:
            password = ""
    if len(password) < SHORTEST_PASSWORD:
        raise UserError(
            f"--host {host} is open to other machines: set {PASSWORD} to a password of "
            f"{SHORTEST_PASSWORD} characters or more"
        )
    return password
