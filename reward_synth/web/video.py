"""Sending videos, in whole or the part that a player asks for."""

import re

from fastapi import APIRouter, Request, Response

from reward_synth.store.glance import load_candidate, load_run
from reward_synth.web.context import Here, Number

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
KIND = "video/mp4"

router = APIRouter()


@router.get("/runs/{run}/candidates/{number}/video")
def video(run: str, number: Number, request: Request, here: Here) -> Response:
    """The video of a candidate's policy, where it is made."""
    candidate = load_candidate(here.store, run, number)
    content = here.films.read(load_run(here.store, run), candidate)
    return part(content, request.headers.get("range", ""))


@router.post("/runs/{run}/films")
def film(run: str, request: Request, here: Here) -> Response:
    """Film the candidates whose numbers are given, in the background."""
    recorded = load_run(here.store, run)
    for number in request.state.form.get("candidates", "").split():
        if number.isdecimal() and len(number) < 10:
            here.films.ask(recorded, load_candidate(here.store, run, int(number)))
    return Response(status_code=204)


def part(content: bytes, wanted: str) -> Response:
    """The whole, or one range of bytes (RFC 9110, section 14)."""
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=600"}
    found = RANGE.fullmatch(wanted)
    if found is None or found[0] == "bytes=-":
        return Response(content, media_type=KIND, headers=headers)
    size = len(content)
    first, last = found[1], found[2]
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return Response(content[start : end + 1], 206, media_type=KIND, headers=headers)
