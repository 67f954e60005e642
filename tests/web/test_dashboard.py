"""The dashboard's pages: what they tell, what cannot harm, and that nothing is written."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import event

from reward_synth.store import NewCandidate, NewCompletion, Store
from reward_synth.store.activity import record_activity
from tests.report.recorded_run import SOURCE, Recorder
from tests.web.site import Site

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def searched(recorder: Recorder) -> str:
    """A finished search with a model, only to be read."""
    return recorder.whole_run()


@pytest.fixture(scope="module")
def pruned(recorder: Recorder) -> str:
    """A search that was interrupted."""
    return recorder.pruned_run()


@pytest.fixture(scope="module")
def browser(site: Site) -> httpx.Client:
    return site.visitor()


def words(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    assert page.status_code == 200, page.text
    body = re.sub(r"<(script|style|title)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(connection, cursor, statement, *_):
        sent.append(statement.split()[0] + " " + " ".join(statement.split()[1:3]))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


def test_the_list_tells_of_every_run(browser: httpx.Client, searched: str, pruned: str):
    told = words(browser.get("/"))
    assert f"{searched} eureka · openai/test finished 11" in told
    assert "0.857 1.04 5 min 1 s $0.03" in told
    assert f"{pruned} offline interrupted 14" in told
    page = browser.get("/").text
    assert page.index(f'"/runs/{pruned}"') < page.index(f'"/runs/{searched}"'), "newest first"
    assert "best fitness by generation: 0.420 to 0.860" in page


def test_the_list_is_searched(browser: httpx.Client, searched: str, pruned: str):
    assert f'"/runs/{pruned}"' not in browser.get("/", params={"text": "openai"}).text
    assert f'"/runs/{searched}"' not in browser.get("/", params={"status": "running"}).text
    assert "No run is like that" in browser.get("/", params={"text": "no such"}).text
    assert browser.get("/", params={"page": "0"}).status_code == 404


def test_a_run_tells_what_came_of_it(browser: httpx.Client, searched: str):
    page = browser.get(f"/runs/{searched}")
    told = words(page)
    assert "0.857 0.806 to 0.908 candidate 7, 95 % interval over 3 fresh seeds" in told
    assert "Candidates 11 Tokens 5.01k Cost $0.03" in told
    assert "all 11 scored 8 refused 1 failed 2" in told
    assert "there is no variable `pole_hight`" in told
    assert "memory: the training needed more than 4 GiB" in told
    assert "candidate 7: 0.857, mean over fresh seeds" in page.text
    # Both parents' lines to the winner lead to it, and so do those from candidate 1.
    assert page.text.count('class="from leads"') == 4
    assert "data-live" not in page.text, "nothing more will come"


def test_candidates_are_chosen_by_fate_and_sorted(browser: httpx.Client, searched: str):
    def numbers(**query: str) -> list[int]:
        page = browser.get(f"/runs/{searched}", params=query).text
        return [int(n) for n in re.findall(r'<th scope="row"><a href="[^"]*">(\d+)</a>', page)]

    assert numbers() == list(range(11))
    assert numbers(status="failed") == [9, 10]
    assert numbers(generation="2", by="fitness") == [4, 6, 5]
    assert numbers(status="pruned") == []


def test_limits_are_shown_with_what_is_spent(browser: httpx.Client, recorder: Recorder):
    run = recorder.start(model="openai/test", max_tokens=4000, max_cost=0.5)
    recorder.store.record_proposals(run, 0, [recorder.proposal(0, 0, (), True)])
    page = browser.get(f"/runs/{run}")
    assert "Tokens 1.11k of 4k Cost $0.00 of $0.50" in words(page)
    assert '<rect width="27.8" height="3"/>' in page.text


def test_what_is_trained_now_is_shown_while_somebody_works(
    browser: httpx.Client, recorder: Recorder, pruned: str
):
    assert "nobody works on it; go on with" in words(browser.get(f"/runs/{pruned}"))
    training = {"candidate": 9, "seed": 0, "step": 25_000, "steps": 100_000, "fitness": 0.5}
    record_activity(recorder.store, pruned, "training", 1, [training])
    page = browser.get(f"/runs/{pruned}")
    assert "Now: training, generation 2 candidate 9 25k of 100k steps, 25 %" in words(page)
    assert '<progress max="100000" value="25000"' in page.text
    assert "interrupted" not in words(page)
    record_activity(recorder.store, pruned, "waiting for a person’s word", 1, [])
    assert f'href="/runs/{pruned}/feedback">Give feedback' in browser.get(f"/runs/{pruned}").text


def test_a_candidate_tells_everything(browser: httpx.Client, searched: str):
    page = browser.get(f"/runs/{searched}/candidates/7")
    told = words(page)
    assert "made from 4 , 5" in told
    assert "0.860 0.830 to 0.890 95 % interval of the search" in told
    assert "fresh, seed 101 0.880" in told
    assert "UPRIGHT_WEIGHT = 2.0" in told
    assert "Difference from candidate 4 The two programs are equal" in told
    assert "Generation 2: swing the pole up." in told
    assert "Reward uprightness first." in told
    assert "openai/test · 0 tokens in, 210 out · $0.0031" in told or "900 tokens in" in told
    assert all(f"{name} <b>" in page.text for name in ("upright", "centred", "effort"))
    assert "became 7 , 8 , 9 , 10" in words(browser.get(f"/runs/{searched}/candidates/4"))
    refused = words(browser.get(f"/runs/{searched}/candidates/2"))
    assert "line 3, column 24" in refused
    assert "became 3" in refused


def test_the_difference_from_a_parent(browser: httpx.Client, recorder: Recorder):
    run = recorder.start()
    recorder.store.record_proposals(run, 0, [recorder.proposal(0, 0, (), False)])
    changed = SOURCE.replace("UPRIGHT_WEIGHT = 2.0", "UPRIGHT_WEIGHT = 3.5")
    child = NewCandidate(slot=0, source=changed, origin="tuned", parents=(0,), note="tuned")
    recorder.store.record_proposals(run, 1, [child])
    told = words(browser.get(f"/runs/{run}/candidates/1"))
    assert "-UPRIGHT_WEIGHT = 2.0 +UPRIGHT_WEIGHT = 3.5" in told


def test_chosen_runs_are_compared(browser: httpx.Client, searched: str, pruned: str):
    page = browser.get("/compare", params={"run": [searched, pruned]})
    told = words(page)
    assert "2 runs on cartpole-swingup" in told
    assert "0.857" in told and "search alone" in told
    assert f'href="/runs/{pruned}"' in page.text
    assert browser.get("/compare").status_code == 400


def test_what_is_not_there_is_said_with_the_nearest_name(browser: httpx.Client, searched: str):
    wrong = browser.get(f"/runs/{searched}x")
    assert wrong.status_code == 404
    assert f"did you mean {searched}?" in html.unescape(wrong.text)
    beyond = browser.get(f"/runs/{searched}/candidates/99")
    assert beyond.status_code == 404
    assert "has candidates 0 to 10" in beyond.text
    assert browser.get(f"/runs/{searched[:-1]}x/candidates/1").status_code == 404
    assert browser.get(f"/runs/{searched[:-1]}x/live").status_code == 404
    assert browser.get("/compare", params={"run": "nothing"}).status_code == 404
    assert browser.get(f"/runs/{searched}/candidates/-1").status_code == 404


def test_what_models_write_is_escaped(browser: httpx.Client, recorder: Recorder):
    run = recorder.start(model=f"openai/{HOSTILE}")
    completion = NewCompletion(HOSTILE, [{"role": HOSTILE, "content": HOSTILE}], HOSTILE)
    source = f"# {HOSTILE}\n{SOURCE}".replace('"upright": upright', f'"{HOSTILE}": upright')
    first = NewCandidate(slot=0, source=source, origin="model", note=HOSTILE, completion=completion)
    (one,) = recorder.store.record_proposals(run, 0, [first])
    recorder.store.set_gate_verdict(one, "accepted")
    recorder.evaluate(one, 0.5)
    child = NewCandidate(slot=0, source=SOURCE, origin="model", parents=(0,), note=HOSTILE)
    (two,) = recorder.store.record_proposals(run, 1, [child])
    recorder.store.set_gate_verdict(two, "refused", HOSTILE)
    recorder.store.fail_run(run, HOSTILE)
    addresses = ["/", f"/runs/{run}", f"/compare?run={run}"]
    addresses += [f"/runs/{run}/candidates/{number}" for number in (0, 1)]
    addresses += [f"/?text={HOSTILE}", f"/?task={HOSTILE}", f"/runs/{run}?status={HOSTILE}"]
    for address in addresses:
        page = browser.get(address)
        assert page.status_code == 200, address
        assert "<script>alert" not in page.text and "<img" not in page.text, address
        assert page.text.count("<script") == page.text.count("<script src="), address
        assert "style=" not in page.text, f"{address}: the policy lets no style attribute count"


def test_looking_writes_nothing(site: Site, browser: httpx.Client, searched: str):
    addresses = ["/", f"/runs/{searched}", f"/runs/{searched}/candidates/7"]
    addresses += [f"/compare?run={searched}", f"/runs/{searched}/live"]
    with statements(site.store) as sent:
        for address in addresses:
            assert browser.get(address).status_code == 200
    assert {statement.split()[0] for statement in sent} == {"BEGIN", "SELECT"}
    assert not [statement for statement in sent if "IMMEDIATE" in statement]
