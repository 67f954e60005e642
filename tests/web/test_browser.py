"""A person at the feedback page, in a real browser: from the link to the next prompt."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reward_synth import api
from reward_synth.report.video import film_place
from reward_synth.search import RunConfig
from reward_synth.store import Run, Store
from tests.search.small_searches import SETTINGS, upright
from tests.servers import CompletionServer
from tests.web.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60_000.0
"""Milliseconds."""
PLAYING = "[...document.querySelectorAll('video')].filter(v => v.currentTime > 0.2).length"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def server() -> Iterator[CompletionServer]:
    with CompletionServer([upright(weight) for weight in range(1, 40)]) as running:
        yield running


@pytest.fixture
def searched(tmp_path: Path, server: CompletionServer) -> Iterator[tuple[Store, Run]]:
    """A finished search of one generation, with films."""
    settings = {**SETTINGS, "models": ("test",), "base_url": server.base_url, "iterations": 1}
    del settings["model"]
    done = api.search(RunConfig.model_validate(settings), runs_dir=tmp_path)
    with Store.open(tmp_path) as store:
        run = store.get_run(done.id)
        for candidate in run.candidates:
            policy = store.run_folder(run.id) / candidate.evaluations[0].policy
            film(film_place(policy), shade=80 * candidate.number)
        yield store, run


def film(path: Path, shade: int) -> None:
    """Two seconds of grey."""
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(str(path), (64, 36), fps=10, macro_block_size=2)
    writer.send(None)
    for _ in range(20):
        writer.send(np.full((36, 64, 3), shade, np.uint8))
    writer.close()


def come_in(browser: "Browser", site: Site, path: str, **settings: object) -> "Page":
    page = browser.new_context(**settings).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(site.link(path))
    return page


def test_a_person_watches_ranks_and_is_heard(
    browser: "Browser", searched: tuple[Store, Run], server: CompletionServer
):
    store, run = searched
    with Site(store) as site:
        page = come_in(browser, site, f"/runs/{run.id}/feedback")
        assert page.url == f"http://{site.host}/runs/{run.id}/feedback"
        # Not by wait_for_function: the page's policy forbids to evaluate text.
        while page.evaluate(PLAYING) < 3:
            page.wait_for_timeout(100.0)
        assert "0." not in page.inner_text(".cards")
        assert page.inner_text("#done") == "Nothing to say: go on"

        page.click(".card:nth-child(2) .film")
        page.keyboard.press("c")
        page.keyboard.press("=")
        page.click(".card:nth-child(1) .film")
        assert page.inner_text("#ranking") == "B > A = C"
        page.keyboard.press("Backspace")
        assert page.inner_text("#ranking") == "B > C"
        page.keyboard.press("a")
        assert page.inner_text("#ranking") == "B > C > A"
        page.keyboard.press(" ")
        assert page.evaluate("[...document.querySelectorAll('video')].every(v => v.paused)")
        page.keyboard.press("?")
        assert page.is_visible("dialog")
        page.keyboard.press("Escape")

        page.click(".card:nth-child(1) .curves summary")
        page.wait_for_selector(".card:nth-child(1) .plot .main-svg")
        page.fill(".card:nth-child(3) textarea", "C leans to the left")
        page.keyboard.type("!a")  # in a field, keys are text
        page.fill("#comment", "Stand still in the middle.")
        page.fill("#who", "Ada")
        numbers = page.eval_on_selector_all(
            ".card textarea", "fields => fields.map(field => Number(field.name.split('-')[1]))"
        )
        page.click("#done")
        page.wait_for_selector("#said")
        assert "B > C > A" in page.inner_text("#said")
        assert page.locator(".score").count() == 3

    a, b, c = numbers
    said = store.judgements(run.id)
    assert [j.kind for j in said] == ["comment", "comment", "ranking", "done"]
    assert said[2].ranking == [[b], [c], [a]] and said[2].shown == numbers
    api.resume(run.id, runs_dir=store.runs_dir, iterations=2)
    first, second = (request["messages"][-1]["content"] for request in server.requests)
    assert "A person watched" not in first
    assert "“C leans to the left!a”" in second
    assert "- Of all: “Stand still in the middle.”" in second
    ranked = second.split("they rank them: ")[1].split("\n")[0]
    assert [int(part.split()[1]) for part in ranked.split("; ")] == [b, c, a]


def test_a_phone_scrolls_in_one_direction_and_takes_a_tap(
    browser: "Browser", searched: tuple[Store, Run]
):
    store, run = searched
    with Site(store) as site:
        phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
        page = come_in(browser, site, f"/runs/{run.id}/feedback", **phone)
        page.tap(".card:nth-child(1) .film")
        page.tap(".card:nth-child(2) .film")
        assert page.inner_text("#ranking") == "A > B"
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.goto(f"http://{site.host}/runs/{run.id}/feedback/pair")
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_javascript_the_forms_work(browser: "Browser", searched: tuple[Store, Run]):
    store, run = searched
    with Site(store, who="Ada") as site:
        page = come_in(browser, site, f"/runs/{run.id}/feedback", java_script_enabled=False)
        page.select_option(".card:nth-child(2) select", "1")
        page.select_option(".card:nth-child(3) select", "2")
        page.fill("#comment", "Slower.")
        page.click("#record")
        assert "B > C" in page.inner_text("#said") and "Slower." in page.inner_text("#said")
        page.goto(f"http://{site.host}/runs/{run.id}/feedback/pair")
        page.click("#left")
        assert "Which of the two" in page.inner_text("h1")
    assert [j.kind for j in store.judgements(run.id)] == ["comment", "ranking", "ranking"]
