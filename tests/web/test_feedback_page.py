"""The feedback page: what is shown when, what is recorded, and what cannot harm."""

import re
import threading
from collections.abc import Sequence

import httpx
import pytest

from reward_synth.report.video import film_place
from reward_synth.store import NewCandidate, NewCompletion
from reward_synth.store.folder import candidate_folder
from tests.report.recorded_run import SOURCE, Recorder
from tests.web.site import Site, csrf

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def searched(recorder: Recorder, fitness: Sequence[float], source: str = SOURCE, **settings) -> str:
    """A search under way, of whose first generation these were scored."""
    run = recorder.start(samples=len(fitness), **settings)
    completion = NewCompletion("openai/test", [{"role": "user", "content": HOSTILE}], HOSTILE)
    proposals = [
        NewCandidate(slot=slot, source=source, origin="model", completion=completion)
        for slot in range(len(fitness))
    ]
    recorded = recorder.store.record_proposals(run, 0, proposals)
    for candidate, reached in zip(recorded, fitness, strict=True):
        recorder.store.set_gate_verdict(candidate, "accepted")
        recorder.evaluate(candidate, reached)
    return run


def say(browser: httpx.Client, run: str, **fields: str) -> httpx.Response:
    page = browser.get(f"/runs/{run}/feedback")
    form = {"csrf": csrf(page), "generation": "0", "who": "Ada", "end": "record"}
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return browser.post(f"/runs/{run}/feedback", data={**form, **named}, follow_redirects=True)


def order(page: str) -> list[int]:
    """The candidates on a page, as they lie there."""
    return [int(number) for number in re.findall(r'name="comment-(\d+)"', page)]


def test_scores_follow_the_judgement(site: Site, recorder: Recorder):
    run = searched(recorder, (0.4321, 0.6543, 0.8765))
    browser = site.visitor()
    before = browser.get(f"/runs/{run}/feedback").text
    assert "0.432" not in before and "candidate 0" not in before and "0.876" not in before
    assert all(f'data-letter="{letter}"' in before for letter in "ABC")
    empty = say(browser, run)
    assert empty.status_code == 422 and "Nothing to record yet" in empty.text
    assert "0.876" not in empty.text
    after = say(browser, run, place_1="1", place_0="2", place_2="2", comment_2="it stumbles").text
    named = dict(zip(order(after), "ABC", strict=True))
    assert "0.876" in after and "candidate 2" in after
    assert " &gt; ".join(named[n] for n in (2, 1, 0)) in after
    assert f"{named[2]}: it stumbles" in after
    ranking, comment = reversed(site.store.judgements(run))
    assert (ranking.kind, ranking.ranking) == ("ranking", [[1], [0, 2]])
    assert (comment.kind, comment.candidate, comment.text) == ("comment", 2, "it stumbles")
    assert {j.who for j in (ranking, comment)} == {"Ada"}
    assert ranking.shown == order(before) and ranking.generation == 0
    stranger = site.visitor().get(f"/runs/{run}/feedback").text
    assert "0.876" not in stranger and "it stumbles" not in stranger


def test_each_sitting_has_its_own_order_and_keeps_it(site: Site, recorder: Recorder):
    run = searched(recorder, [0.5] * 6)
    seen = []
    for _ in range(8):
        browser = site.visitor()
        first, again = (order(browser.get(f"/runs/{run}/feedback").text) for _ in range(2))
        assert first == again and sorted(first) == list(range(6))
        seen.append(tuple(first))
    assert len(set(seen)) > 1


@pytest.mark.parametrize(("end", "kinds"), [("done", ["done"]), ("stop", ["stop"])])
def test_a_sitting_may_end_with_nothing_said(
    site: Site, recorder: Recorder, end: str, kinds: list[str]
):
    run = searched(recorder, (0.4, 0.6), feedback=True)
    browser = site.visitor()
    assert "waits for your word" in browser.get(f"/runs/{run}/feedback").text
    answer = say(browser, run, end=end)
    assert answer.status_code == 200 and "waits for your word" not in answer.text
    assert [j.kind for j in site.store.judgements(run)] == kinds


def test_a_program_is_checked_before_it_enters(site: Site, recorder: Recorder):
    run = searched(recorder, (0.4, 0.6))
    browser = site.visitor()
    wrong = SOURCE.replace("pole_up,", "pole_upp,", 1)
    refused = say(browser, run, program=wrong, comment="keep <this>", end="done")
    assert refused.status_code == 422 and "line 3, column 20" in refused.text
    assert "keep &lt;this&gt;" in refused.text and "pole_upp" in refused.text
    assert site.store.judgements(run) == [] and len(site.store.candidates(run)) == 2
    checked = say(browser, run, program=wrong, end="check")
    assert "line 3, column 20" in checked.text and site.store.judgements(run) == []
    path = f"/runs/{run}/feedback/check"
    token = {"X-CSRF-Token": csrf(checked)}
    found = browser.post(path, data={"program": wrong}, headers=token).json()
    assert found["findings"][0].startswith("line 3, column 20")
    assert browser.post(path, data={"program": SOURCE}, headers=token).json() == {"findings": []}
    say(browser, run, program=SOURCE.replace("\n", "\r\n"), end="done")
    own = site.store.candidates(run)[-1]
    assert (own.origin, own.source, own.generation) == ("person", SOURCE, 1)
    assert [j.kind for j in site.store.judgements(run)] == ["program", "done"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"who": " ", "comment": "hm"}, "Say who you are"),
        ({"place_0": "1"}, "A ranking needs two policies or more"),
    ],
)
def test_what_is_missing_is_said(site: Site, recorder: Recorder, fields: dict[str, str], words):
    run = searched(recorder, (0.4, 0.6))
    refused = say(site.visitor(), run, **fields)
    assert refused.status_code == 422 and words in refused.text
    assert site.store.judgements(run) == []


def test_fields_of_other_candidates_are_left_out(site: Site, recorder: Recorder):
    run = searched(recorder, (0.4, 0.6))
    fields = {"place_0": "2", "place_1": "1", "place_99": "1", "comment_99": "hm", "place_x": "1"}
    assert say(site.visitor(), run, **fields, comment_0="x").status_code == 200
    assert [(j.candidate, j.ranking) for j in site.store.judgements(run)] == [
        (0, []),
        (None, [[1], [0]]),
    ]


def test_two_people_at_once_are_both_kept(site: Site, recorder: Recorder):
    run = searched(recorder, (0.4, 0.6, 0.5))
    people = ["Ada", "Grace", "Alan", "Edsger"]
    browsers = [site.visitor() for _ in people]
    tokens = [csrf(browser.get(f"/runs/{run}/feedback")) for browser in browsers]
    start = threading.Barrier(len(people))
    answers: list[int] = []

    def judge(i: int) -> None:
        form = {"csrf": tokens[i], "generation": "0", "who": people[i], "end": "done"}
        form |= {f"place-{(i + k) % 3}": str(k + 1) for k in range(3)}
        form |= {"comment": f"word of {people[i]}", "program": SOURCE + f"# {people[i]}\n"}
        start.wait()
        answers.append(browsers[i].post(f"/runs/{run}/feedback", data=form).status_code)

    threads = [threading.Thread(target=judge, args=(i,)) for i in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * 4
    said = site.store.judgements(run)
    for i, who in enumerate(people):
        own = [j for j in said if j.who == who]
        assert [j.kind for j in own] == ["program", "comment", "ranking", "done"]
        assert own[1].text == f"word of {who}"
        assert own[2].ranking == [[i % 3], [(i + 1) % 3], [(i + 2) % 3]]
        assert site.store.candidates(run)[own[0].candidate or 0].source.endswith(f"# {who}\n")


def test_what_people_and_models_wrote_is_shown_as_text(site: Site, recorder: Recorder):
    hostile = SOURCE.replace("Swing up", HOSTILE)
    run = searched(recorder, (0.4, 0.6), source=hostile)
    browser = site.visitor()
    page = say(browser, run, comment=HOSTILE, comment_0=HOSTILE, who=f"<b>Eve</b>{HOSTILE}"[:80])
    assert page.status_code == 200 and "it stumbles" not in page.text
    for text in (page.text, browser.get(f"/runs/{run}/feedback/pair").text):
        assert "<script>" not in text and "<img" not in text and "<b>Eve" not in text
    assert "&lt;img src=x onerror=alert(2)&gt;" in page.text
    assert site.store.judgements(run)[0].text == HOSTILE
    assert (
        "application/json"
        in browser.get(f"/runs/{run}/candidates/0/components").headers["content-type"]
    )


def test_the_pair_that_tells_most_is_compared(site: Site, recorder: Recorder):
    run = searched(recorder, (0.4, 0.6, 0.5))
    browser = site.visitor()
    path = f"/runs/{run}/feedback/pair"
    pairs = []
    for better in ("left", "right", "equal"):
        page = browser.get(path)
        two = [
            int(re.findall(rf'name="{side}" value="(\d+)"', page.text)[0])
            for side in ("left", "right")
        ]
        assert "0.4" not in page.text and "candidate 0" not in page.text
        form = {"csrf": csrf(page), "left": str(two[0]), "right": str(two[1]), "who": "Ada"}
        assert browser.post(path, data={**form, "better": better}).status_code == 303
        pairs.append(two)
    assert sorted(pairs[0]) != sorted(pairs[1])
    said = site.store.judgements(run)
    assert [j.shown for j in said] == pairs
    (a, b), (c, d), (e, f) = pairs
    assert [j.ranking for j in said] == [[[a], [b]], [[d], [c]], [[e, f]]]
    for fields in ({"left": "99", "right": "0"}, {"left": "x", "right": "0"}, {"who": ""}):
        nameless = site.visitor()
        form = {"csrf": csrf(nameless.get(path)), "left": "0", "right": "1", "who": "Ada"}
        assert nameless.post(path, data={**form, **fields}).status_code == 404
    assert len(site.store.judgements(run)) == 3


def test_a_page_that_is_open_hears_of_the_next_generation(site: Site, recorder: Recorder):
    run = searched(recorder, (0.4, 0.6))
    browser = site.visitor()
    state = f"/runs/{run}/feedback/state?generation=1"
    assert browser.get(state).json()["latest"] == 1
    (made,) = recorder.store.record_proposals(run, 1, [recorder.proposal(0, 1, (1,), True)])
    assert "Generation 2 is under way" in browser.get(state).json()["standing"]
    recorder.store.set_gate_verdict(made, "accepted")
    recorder.evaluate(made, 0.7)
    assert browser.get(state).json()["latest"] == 2
    assert "Generation 2 of 3" in browser.get(f"/runs/{run}/feedback").text
    early = browser.get(f"/runs/{run}/feedback?generation=1")
    assert "Generation 1 of 3" in early.text and order(early.text) != [2]
    assert say(browser, run, comment="of the first").status_code == 200
    assert [j.generation for j in site.store.judgements(run)] == [0]


def test_what_is_not_there_is_said(site: Site, recorder: Recorder):
    run = searched(recorder, (0.4, 0.6))
    browser = site.visitor()
    for path, words in [
        ("/runs/nope/feedback", "There is no run"),
        (f"/runs/{run}/feedback?generation=9", "no trained policy to judge"),
        (f"/runs/{run}/candidates/99/video", "has candidates 0 to 1"),
        (f"/runs/{run}/candidates/0/video", "There is no video.mp4 to show"),
        (f"/runs/{recorder.start()}/feedback", "has no trained policy yet"),
    ]:
        refused = browser.get(path)
        assert refused.status_code == 404 and words in refused.text


# --- videos --------------------------------------------------------------------------------------


def film(site: Site, run: str, candidate: int) -> None:
    folder = candidate_folder(site.store.run_folder(run), candidate)
    film_place(folder / "policy.safetensors").write_bytes(b"0123456789")


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("", 200, b"0123456789"),
        ("bytes=0-3", 206, b"0123"),
        ("bytes=8-", 206, b"89"),
        ("bytes=4-99", 206, b"456789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=10-", 416, b""),
        ("bytes=7-3", 416, b""),
        ("bytes=-", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_a_player_gets_the_part_that_it_asks_for(
    site: Site, filmed: str, wanted: str, status: int, content: bytes
):
    headers = {"Range": wanted} if wanted else {}
    answer = site.visitor().get(f"/runs/{filmed}/candidates/0/video", headers=headers)
    assert (answer.status_code, answer.content) == (status, content)
    assert status == 416 or answer.headers["content-type"] == "video/mp4"


@pytest.fixture(scope="module")
def filmed(site: Site, recorder: Recorder) -> str:
    run = searched(recorder, (0.4, 0.6, 0.5))
    film(site, run, 0)
    return run


def test_no_path_of_a_request_reaches_a_file(site: Site, filmed: str):
    browser = site.visitor()
    assert "candidates/0/video" in browser.get(f"/runs/{filmed}/feedback").text
    for path in (
        f"/runs/{filmed}/candidates/..%2f0000/video",
        f"/runs/{filmed}/candidates/0/../../config.yaml",
        f"/runs/{filmed}/candidates/0%2f..%2f..%2fconfig.yaml/video",
        f"/runs/..%2f{filmed}/candidates/0/video",
        f"/runs/../{filmed}/candidates/0/video",
        "/runs/..%2f..%2fetc/candidates/0/video",
        f"/runs/{filmed}/candidates/-1/video",
        f"/runs/{filmed}/candidates/0x0/video",
        f"/runs/{filmed}/candidates/{'9' * 30}/video",
        f"/runs/{filmed}/candidates/{'9' * 5000}/video",
        f"/runs/{filmed}%00/candidates/0/video",
    ):
        assert browser.get(path).status_code == 404, path


def test_links_out_of_the_folder_are_not_followed(site: Site, recorder: Recorder, tmp_path):
    run = searched(recorder, (0.4, 0.6))
    secret = tmp_path / "secret" / "video.mp4"
    secret.parent.mkdir()
    secret.write_bytes(b"a person's own")
    folder = site.store.run_folder(run)
    candidate_folder(folder, 0).joinpath("video.mp4").symlink_to(secret)
    candidate_folder(folder, 1).rename(tmp_path / "moved")
    candidate_folder(folder, 1).symlink_to(secret.parent)
    browser = site.visitor()
    for number in (0, 1):
        refused = browser.get(f"/runs/{run}/candidates/{number}/video")
        assert refused.status_code == 404 and b"own" not in refused.content


def test_where_nothing_can_be_filmed_the_page_says_why(site: Site, filmed: str):
    """The tests run with MuJoCo's drawing turned off."""
    browser = site.visitor()
    page = browser.get(f"/runs/{filmed}/feedback")
    assert "Film the policies" in page.text and "to be filmed" in page.text
    asked = {"csrf": csrf(page), "candidates": "1 2 x 99 0"}
    assert browser.post(f"/runs/{filmed}/films", data=asked).status_code == 404  # 99
    asked["candidates"] = "1 2 0"
    assert browser.post(f"/runs/{filmed}/films", data=asked).status_code == 204
    state = f"/runs/{filmed}/feedback/state?generation=1&films=0+1+2"
    films = browser.get(state).json()["films"]
    while not all(films[number]["why"] for number in ("1", "2")):
        films = browser.get(state).json()["films"]
    assert films["0"] == {"state": "there", "why": ""}
    assert "videos are off" in films["1"]["why"] and films["2"] == films["1"]
    assert "No video: videos are off" in browser.get(f"/runs/{filmed}/feedback").text
