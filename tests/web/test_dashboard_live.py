"""A run followed as it goes on: server-sent events from another process's records."""

import json
import threading
from collections.abc import Iterator

import httpx
import pytest

from reward_synth.store.activity import clear_activity, record_activity
from reward_synth.store.glance import mark
from tests.report.recorded_run import Recorder
from tests.web.site import Site


@pytest.fixture
def run(recorder: Recorder) -> str:
    return recorder.start()


def heard(lines: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """The events of a stream: name, id and data."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], fields["id"], json.loads(fields["data"])
            fields = {}


def test_a_new_candidate_is_told_and_then_shown(site: Site, recorder: Recorder, run: str):
    browser = site.visitor()
    assert "None is proposed yet" in browser.get(f"/runs/{run}").text
    known = mark(recorder.store, run).record
    with browser.stream("GET", f"/runs/{run}/live", params={"known": known}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = heard(stream.iter_lines())
        assert next(events)[0] == "activity"
        recorder.store.record_proposals(run, 0, [recorder.proposal(0, 0, (), False)])
        name, at, told = next(events)
        assert name == "changed" and at == told != known
    page = site.visitor().get(f"/runs/{run}").text
    assert f'href="/runs/{run}/candidates/0">0</a>' in page
    assert f'data-mark="{told}"' in page


def test_what_is_trained_is_told_piece_by_piece(site: Site, recorder: Recorder, run: str):
    recorder.store.record_proposals(run, 0, [recorder.proposal(0, 0, (), False)])

    def at(step: int) -> None:
        training = {"candidate": 0, "seed": 0, "step": step, "steps": 1000, "fitness": None}
        record_activity(recorder.store, run, "training", 0, [training])

    at(0)
    known = mark(recorder.store, run).record
    with site.visitor().stream("GET", f"/runs/{run}/live", params={"known": known}) as stream:
        events = heard(stream.iter_lines())
        assert 'value="0"' in next(events)[2]
        at(400)
        name, _, piece = next(events)
        assert name == "activity"
        assert 'max="1000" value="400"' in piece


def test_the_stream_ends_with_the_run(site: Site, recorder: Recorder, run: str):
    known = mark(recorder.store, run).record
    with site.visitor().stream("GET", f"/runs/{run}/live", params={"known": known}) as stream:
        events = heard(stream.iter_lines())
        next(events)
        recorder.store.stop_run(run, None, "--max-hours is reached")
        assert [name for name, _, _ in events] == ["changed", "over"]


def test_who_comes_back_hears_of_what_was_missed(site: Site, recorder: Recorder, run: str):
    before = mark(recorder.store, run).record
    recorder.store.record_proposals(run, 0, [recorder.proposal(0, 0, (), False)])
    after = mark(recorder.store, run).record
    browser = site.visitor()
    for last, expected in ((before, "changed"), (after, "activity")):
        headers = {"Last-Event-ID": last}
        with browser.stream("GET", f"/runs/{run}/live", headers=headers) as stream:
            assert next(heard(stream.iter_lines()))[0] == expected


def test_many_look_on_at_once(site: Site, recorder: Recorder, run: str):
    known = mark(recorder.store, run).record
    listening, told = threading.Barrier(9), []

    def listen(browser: httpx.Client) -> None:
        with browser.stream("GET", f"/runs/{run}/live", params={"known": known}) as stream:
            events = heard(stream.iter_lines())
            next(events)
            listening.wait()
            told.append(next(event for event in events if event[0] == "changed")[1])

    threads = [threading.Thread(target=listen, args=(site.visitor(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    listening.wait()
    recorder.store.record_proposals(run, 0, [recorder.proposal(0, 0, (), False)])
    for thread in threads:
        thread.join()
    assert told == [mark(recorder.store, run).record] * 8


def test_an_open_stream_does_not_keep_the_application_from_ending(recorder: Recorder, run: str):
    record_activity(recorder.store, run, "training", 0, [])
    with (
        Site(recorder.store) as site,
        site.visitor().stream("GET", f"/runs/{run}/live") as stream,
    ):
        events = heard(stream.iter_lines())
        next(events)
        site.server.closing.set()
        site.server.should_exit = True
        assert "over" not in [name for name, _, _ in events]
    clear_activity(recorder.store, run)
