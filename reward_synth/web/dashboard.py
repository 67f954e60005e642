"""The dashboard: all runs, one run live, one candidate, and runs side by side; nothing is written.

It reads the database alone.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from reward_synth.report.comparison import compare_recorded
from reward_synth.report.comparison_page import parts, title
from reward_synth.store import Store
from reward_synth.store.glance import (
    Mark,
    glances,
    load_candidate,
    load_run,
    load_sources,
    mark,
)
from reward_synth.store.overview import count_runs, overviews, task_names
from reward_synth.web import listing
from reward_synth.web.candidate import candidate_page
from reward_synth.web.context import Context, Here
from reward_synth.web.live import Looks, events

MOST_COMPARED = 100
"""Runs that are set side by side at once."""

router = APIRouter()


def run_address(run: str) -> str:
    return f"/runs/{quote(run, safe='')}"


@router.get("/")
def runs(
    request: Request,
    here: Here,
    text: Annotated[str, Query(max_length=200)] = "",
    task: str = "",
    status: str = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """All runs, newest first, or those that are looked for."""
    chosen = {"text": text, "task": task, "status": status}
    start = (page - 1) * listing.PAGE
    found = overviews(
        here.store, text=text, task=task, status=status, limit=listing.PAGE, offset=start
    )
    total = count_runs(here.store, text=text, task=task, status=status)
    return here.pages.render(
        request,
        "runs.html.j2",
        lines=[listing.line(run) for run in found],
        pager=listing.pager("/", chosen, page, total),
        tasks=task_names(here.store),
        states={name: words for name, words in listing.STATES.items() if name != "interrupted"},
        chosen=chosen,
        address=run_address,
    )


@router.get("/runs/{run}")
def one_run(
    run: str,
    request: Request,
    here: Here,
    status: str = "",
    generation: Annotated[int | None, Query(ge=1)] = None,
    by: str = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """A run as it stands, which follows it while it goes on."""
    now = mark(here.store, run)  # before the rest: what comes meanwhile is told once more
    recorded = load_run(here.store, run)
    (counted,) = overviews(here.store, ids=[run])
    rows = glances(here.store, run)
    best = listing.best_number(recorded, rows)
    wanted = None if generation is None else generation - 1
    fitting = listing.chosen_rows(rows, status, wanted, by)
    start = (page - 1) * listing.PAGE
    chosen = {
        "status": status,
        "generation": "" if generation is None else str(generation),
        "by": by,
    }
    return here.pages.render(
        request,
        "run.html.j2",
        run=recorded,
        line=listing.line(counted),
        headline=listing.headline(counted, best),
        budgets=listing.budgets(counted),
        fates=[
            (fate, counted.fates[fate], listing.WORDS.get(fate, fate))
            for fate in listing.FATES
            if fate in counted.fates
        ],
        drawings=listing.drawings(recorded, rows, best),
        rows=listing.candidate_rows(rows, fitting[start : start + listing.PAGE], best),
        total=len(rows),
        pager=listing.pager(run_address(run), chosen, page, len(fitting)),
        generations=sorted({row.generation + 1 for row in rows}),
        chosen=chosen,
        settings=[(name, _setting(value)) for name, value in recorded.config.items()],
        mark=now,
        at=listing.doing(now),
        path=run_address(run),
    )


@router.get("/runs/{run}/live")
async def live(run: str, request: Request, here: Here, known: str = "") -> Response:
    """What happens to a run, as it happens."""
    looks = _looks(request.app.state, here.store)
    await run_in_threadpool(looks.mark, run)  # an unknown run is a page that says so, no stream
    show = partial(_activity, here, run)
    stream: AsyncIterator[str] = events(
        looks, run, request.headers.get("last-event-id") or known, show, here.closing
    )
    return StreamingResponse(stream, media_type="text/event-stream")


def _activity(here: Context, run: str, now: Mark) -> str:
    return here.pages.piece("activity.html.j2", at=listing.doing(now), path=run_address(run))


@router.get("/runs/{run}/candidates/{number}")
def one_candidate(run: str, number: int, request: Request, here: Here) -> Response:
    """Everything that is known of one candidate."""
    recorded = load_run(here.store, run)
    candidate = load_candidate(here.store, run, number)
    rows = glances(here.store, run)
    film, no_film = here.films.state(recorded, candidate)
    return here.pages.render(
        request,
        "candidate.html.j2",
        run=recorded,
        c=candidate_page(recorded, candidate, load_sources(here.store, run, candidate.parents)),
        best=listing.best_number(recorded, rows) == number,
        children=[row.number for row in rows if number in row.parents],
        parents=candidate.parents,
        last=len(rows) - 1,
        film=film,
        no_film=no_film,
        path=run_address(run),
    )


@router.get("/compare")
def comparison(
    request: Request, here: Here, run: Annotated[list[str] | None, Query()] = None
) -> Response:
    """The runs that were chosen, side by side."""
    if not run:
        words = "Choose runs in the list: each has a box at its left."
        return here.pages.message(request, 400, "No runs to compare", words)
    compared = compare_recorded(here.store, run[:MOST_COMPARED])
    return here.pages.render(
        request, "comparison.html.j2", title=title(compared), parts=parts(compared, run_address)
    )


def _looks(state: object, store: Store) -> Looks:
    """The application's own."""
    if not hasattr(state, "looks"):
        state.looks = Looks(store)  # type: ignore[attr-defined]
    return state.looks  # type: ignore[attr-defined]


def _setting(value: object) -> str:
    if value is None or value == [] or value == {}:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
