"""The feedback page: policies side by side, judged before their scores are shown.

What is said goes through :class:`Listener`, as it does from the terminal.
"""

from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from reward_synth.errors import UserError
from reward_synth.search.listening import Listener, Round, current_round
from reward_synth.store.glance import load_candidate
from reward_synth.web.access import Session
from reward_synth.web.context import Context, Here, Number, Visitor
from reward_synth.web.judging import (
    cards,
    ranked_by_fitness,
    said_so_far,
    settle,
    standing,
)
from reward_synth.web.typed import Typed

EMPTY = "Nothing to record yet: rank two policies or more, or write what they should do."

router = APIRouter()


@router.get("/runs/{run}/feedback")
def look(
    run: str, request: Request, here: Here, visitor: Visitor, generation: int | None = None
) -> Response:
    """A generation's policies; without ``generation`` (from 1) the last one."""
    round_ = current_round(here.store, run, None if generation is None else generation - 1)
    return show(request, here, visitor, round_, Typed())


@router.post("/runs/{run}/feedback")
def say(run: str, request: Request, here: Here, visitor: Visitor) -> Response:
    """Record what a person typed and ranked, all or nothing, and then show the scores."""
    form = request.state.form
    generation = form.get("generation", "")
    round_ = current_round(here.store, run, int(generation) if generation.isdecimal() else None)
    typed = Typed.read(form, round_)
    visitor.who = typed.who or visitor.who
    order = visitor.order((run, round_.generation), round_.numbers)
    listener = Listener(here.store, round_, visitor.who, order)
    if typed.end == "check":
        findings = [str(finding) for finding in listener.findings(typed.program)]
        return show(request, here, visitor, round_, typed, findings=findings)
    try:
        if typed.end == "record" and not typed.anything:
            raise UserError(EMPTY)
        typed.record(listener)
    except UserError as error:
        return show(request, here, visitor, round_, typed, problem=settle(str(error), order))
    visitor.judged.add((run, round_.generation))
    return RedirectResponse(f"{request.url.path}?generation={round_.generation + 1}", 303)


@router.get("/runs/{run}/feedback/state")
def state(run: str, generation: int, here: Here, films: str = "") -> Response:
    """What a page that is open has to know: how it stands with its ``films`` and with the run."""
    round_ = current_round(here.store, run, generation - 1)
    asked = [round_.candidate(_number(number)) for number in films.split()]
    states = {c.number: here.films.state(round_.run, c) for c in asked}
    return JSONResponse(
        {
            "films": {str(n): {"state": kind, "why": why} for n, (kind, why) in states.items()},
            "latest": round_.latest + 1,
            "standing": standing(here.store, round_),
        }
    )


@router.post("/runs/{run}/feedback/check")
def check(run: str, request: Request, here: Here) -> Response:
    """What keeps a program from entering the run, by line and column."""
    listener = Listener(here.store, current_round(here.store, run), "")
    found = listener.findings(request.state.form.get("program", ""))
    return JSONResponse({"findings": [str(finding) for finding in found]})


@router.get("/runs/{run}/candidates/{number}/components")
def components(run: str, number: Number, here: Here) -> Response:
    """The curves of what a program paid for, as a figure: no score is among them."""
    from reward_synth.report.curves import component_curves
    from reward_synth.store.fates import search_evaluation

    evaluation = search_evaluation(load_candidate(here.store, run, number))
    if evaluation is None:
        raise UserError(f"candidate {number} of run {run} was not trained")
    return Response(component_curves(evaluation).to_json(), media_type="application/json")


@router.get("/runs/{run}/feedback/pair")
def pair(run: str, request: Request, here: Here, visitor: Visitor) -> Response:
    """The two policies whose comparison would tell most, of all generations."""
    round_ = current_round(here.store, run)
    two = Listener(here.store, round_, "").most_telling()
    order = visitor.order((run, "pair", two), two)
    return here.pages.render(
        request,
        "pair.html.j2",
        **about(here, round_),
        cards=cards(here, round_, order, Typed()),
    )


@router.post("/runs/{run}/feedback/pair")
def compare(run: str, request: Request, here: Here, visitor: Visitor) -> Response:
    """Record which of two is better, and ask of the next two."""
    form, round_ = request.state.form, current_round(here.store, run)
    shown = [round_.candidate(_number(form.get(name))).number for name in ("left", "right")]
    visitor.who = form.get("who", "").strip() or visitor.who
    if not visitor.who:
        raise UserError("a judgement needs a name: say who you are")
    better = form.get("better")
    ranking = [shown] if better == "equal" else [[n] for n in shown]
    if better == "right":
        ranking.reverse()
    Listener(here.store, round_, visitor.who, shown).rank(ranking)
    return RedirectResponse(request.url.path, 303)


def show(
    request: Request,
    here: Context,
    visitor: Session,
    round_: Round,
    typed: Typed,
    *,
    problem: str = "",
    findings: list[str] | None = None,
) -> Response:
    """The page; ``findings`` are of the program, where that was to be checked."""
    key = (round_.run.id, round_.generation)
    order = visitor.order(key, round_.numbers)
    judged = key in visitor.judged
    return here.pages.render(
        request,
        "feedback.html.j2",
        422 if problem else 200,
        **about(here, round_),
        cards=cards(here, round_, order, typed),
        judged=judged,
        by_fitness=ranked_by_fitness(round_, order) if judged else "",
        said=said_so_far(here.store, round_, order) if judged else [],
        typed=typed,
        problem=problem,
        findings=findings,
    )


@cache
def description(task_folder: str, task: str) -> str:
    """What is to be learned, in words; the task's name where its folder is gone."""
    from reward_synth.task import load_task

    try:
        return load_task(task_folder).description
    except UserError:
        return task


def about(here: Context, round_: Round) -> dict[str, Any]:
    """What both pages say of a run."""
    run = round_.run
    return {
        "run": run,
        "path": f"/runs/{quote(run.id)}",
        "wanted": description(run.task_folder, run.task),
        "generation": round_.generation + 1,
        "generations": round_.config.iterations,
        "latest": round_.latest + 1,
        "next": None if round_.next is None else round_.next + 1,
        "standing": standing(here.store, round_),
        "several": len(round_.known) > 1,
    }


def _number(text: str | None) -> int:
    if text is None or not text.isdecimal():
        raise UserError("a candidate is missing from the form: load the page again")
    return int(text)
