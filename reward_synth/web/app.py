"""The application: its pages behind the gate."""

from collections.abc import Collection
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from reward_synth.errors import UserError
from reward_synth.store import Store
from reward_synth.web import dashboard, feedback, video
from reward_synth.web.access import Access
from reward_synth.web.context import Context, Here
from reward_synth.web.films import Films
from reward_synth.web.gate import Gate, cookie_name
from reward_synth.web.pages import Pages

entrance = APIRouter()


def create_app(store: Store, access: Access, hosts: Collection[str]) -> FastAPI:
    """The pages of a store's runs.

    ``hosts`` are the names under which it is reached (:func:`gate.known_hosts`).
    """
    context = Context(store, access, Pages(), Films(store))
    app = FastAPI(title="RewardSynth", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.context = context
    for part in (entrance, video.router, feedback.router, dashboard.router):
        app.include_router(part)
    app.add_middleware(Gate, access=access, hosts=hosts, pages=context.pages)

    @app.exception_handler(UserError)
    async def not_there(request: Request, error: UserError) -> Response:
        return context.pages.message(request, 404, "Not there", sentence(str(error)))

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, error: RequestValidationError) -> Response:
        return context.pages.message(request, 404, "Not there", "There is no such page.")

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        words = "There is no such page." if error.status_code == 404 else str(error.detail)
        return context.pages.message(request, error.status_code, "Not there", words)

    return app


def sentence(words: str) -> str:
    """An error's line as it stands on a page."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


@entrance.get("/static/{name}")
def static(name: str, here: Here) -> Response:
    try:
        return here.pages.send_file(name)
    except KeyError as error:
        raise HTTPException(404) from error


@entrance.get("/enter")
def enter(request: Request, here: Here, token: str = "", next: str = "/") -> Response:
    """A link's token becomes a session; the answer leads to an address without it."""
    if here.access.by_password:
        return here.pages.render(request, "sign_in.html.j2", next=local(next), wrong="")
    if "sec-purpose" in request.headers:  # a browser that loads ahead would use the link up
        return Response(status_code=503)
    redeemed = here.access.redeem(token)
    if isinstance(redeemed, tuple):
        key, leads_to = redeemed
        return welcome(request, key, leads_to)
    if request.state.session is not None:
        return RedirectResponse("/", 303)
    title = "This link has been used" if redeemed == "used" else "No such link"
    words = (
        "A link lets one browser in, once. Press Enter in the terminal that printed it for a "
        "new one."
    )
    return here.pages.message(request, 403, title, words)


@entrance.post("/enter")
def sign_in(request: Request, here: Here) -> Response:
    """The password becomes a session."""
    form = request.state.form
    address = request.client.host if request.client else ""
    leads_to = local(form.get("next", "/"))
    if key := here.access.sign_in(form.get("password", ""), address):
        return welcome(request, key, leads_to)
    pause = here.access.wait(address)
    wrong = f"Wrong too often: try again in {pause} s." if pause else "That is not the password."
    status = 429 if pause else 403
    return here.pages.render(request, "sign_in.html.j2", status, next=leads_to, wrong=wrong)


def welcome(request: Request, key: str, leads_to: str) -> Response:
    answer = RedirectResponse(leads_to, 303)
    name = cookie_name(request)
    answer.set_cookie(
        name, key, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


def local(path: str) -> str:
    """A path of this application; its first page for anything else."""
    parts = urlsplit(path)
    whole = PurePosixPath(path)
    if parts.scheme or parts.netloc or "\\" in path or not whole.is_absolute() or path[1:2] == "/":
        return "/"
    return path
