"""Who may come in, and what is refused on the way."""

import httpx
import pytest

from reward_synth.errors import UserError
from reward_synth.store import Store
from reward_synth.web.access import Access
from reward_synth.web.app import local
from reward_synth.web.gate import BODY_LIMIT, known_hosts
from reward_synth.web.serve import bind
from tests.report.recorded_run import Recorder
from tests.web.site import Site, csrf


@pytest.fixture(scope="module")
def run(recorder: Recorder) -> str:
    """A search of which one generation is trained."""
    run = recorder.start()
    for candidate in recorder.store.record_proposals(
        run, 0, [recorder.proposal(slot, 0, (), True) for slot in range(2)]
    ):
        recorder.fate(candidate, 0.5)
    return run


def test_nobody_comes_in_without_a_link(site: Site, run: str):
    stranger = site.stranger()
    for path in ("/", f"/runs/{run}/feedback", f"/runs/{run}/candidates/0/video", "/nothing"):
        refused = stranger.get(path)
        assert refused.status_code == 401
        assert run not in refused.text and "Open the link" in refused.text
    said = stranger.post(f"/runs/{run}/feedback", data={"comment": "hm", "who": "x"})
    assert said.status_code == 401
    assert site.store.judgements(run) == []


def test_a_link_lets_one_browser_in_once(site: Site, run: str):
    link = site.link(f"/runs/{run}/feedback")
    browser = site.stranger()
    entered = browser.get(link)
    assert (entered.status_code, entered.headers["location"]) == (303, f"/runs/{run}/feedback")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert browser.get(f"/runs/{run}/feedback").status_code == 200
    other = site.stranger()
    used = other.get(link)
    assert used.status_code == 403 and "This link has been used" in used.text
    assert "set-cookie" not in used.headers and other.get("/").status_code == 401


@pytest.mark.parametrize("token", ["", "wrong", "ä" * 50, "x" * 5000])
def test_a_wrong_token_opens_nothing(site: Site, token: str):
    refused = site.stranger().get("/enter", params={"token": token})
    assert refused.status_code == 403 and "No such link" in refused.text


def test_a_browser_that_loads_ahead_uses_no_link_up(site: Site):
    link = site.link()
    ahead = site.stranger().get(link, headers={"Sec-Purpose": "prefetch;prerender"})
    assert ahead.status_code == 503 and "set-cookie" not in ahead.headers
    assert site.stranger().get(link).status_code == 303


def test_a_cookie_that_was_not_given_is_none(site: Site):
    port = site.host.split(":")[1]
    for cookie in ("guess", "", "é"):
        header = f"reward-synth-{port}={cookie}".encode()
        assert site.stranger().get("/", headers={b"Cookie": header}).status_code == 401


def test_a_link_on_another_site_is_followed_from_here(site: Site):
    """Browsers send no strict cookie along with it; the page asks again by itself."""
    page = site.stranger().get("/runs/a&b", headers={"Sec-Fetch-Site": "cross-site"})
    assert 'http-equiv="refresh" content="0; url=/runs/a&amp;b"' in page.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "10.0.0.1"])
def test_another_name_is_not_answered(site: Site, host: str):
    """A site whose name was rebound to this address would send its own name."""
    browser = site.visitor()
    refused = browser.get("/", headers={"Host": host})
    assert refused.status_code in (400, 421)
    link = site.link()
    assert browser.get(link, headers={"Host": host}).status_code in (400, 421)
    assert site.stranger().get(link).status_code == 303


def test_names_of_this_machine_are_answered(site: Site):
    port = site.host.split(":")[1]
    for host in (site.host, f"localhost:{port}", f"[::1]:{port}", "localhost:9000"):
        assert site.stranger().get("/", headers={"Host": host}).status_code == 401
    assert known_hosts("0.0.0.0")[-1] == "*" and "*" not in known_hosts("::1")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_forms_of_other_sites_are_refused(site: Site, run: str, headers: dict[str, str]):
    browser = site.visitor()
    path = f"/runs/{run}/feedback"
    form = {"csrf": csrf(browser.get(path)), "who": "Eve", "comment": "hm", "end": "done"}
    refused = browser.post(path, data=form, headers=headers)
    assert refused.status_code == 403 and "Nothing was recorded" in refused.text
    assert site.store.judgements(run) == []


def test_forms_without_the_sessions_token_are_refused(site: Site, run: str):
    browser, other = site.visitor(), site.visitor()
    path = f"/runs/{run}/feedback"
    for token in ("", "wrong", csrf(other.get(path))):
        form = {"csrf": token, "who": "Eve", "comment": "hm", "end": "stop"}
        assert browser.post(path, data=form).status_code == 403
        films = browser.post(f"/runs/{run}/films", data={"csrf": token, "candidates": "0"})
        assert films.status_code == 403
    assert site.store.judgements(run) == []


def test_only_small_forms_are_read(site: Site, run: str):
    browser = site.visitor()
    path = f"/runs/{run}/feedback"
    form = {"csrf": csrf(browser.get(path)), "who": "Ada"}
    huge = browser.post(path, data={**form, "comment": "x" * BODY_LIMIT})
    assert huge.status_code == 413
    endless = browser.post(path, content=(b"x" * 65536 for _ in range(20)))
    assert endless.status_code == 413
    assert browser.post(path, json=form).status_code == 415
    many = "&".join(f"a{i}=" for i in range(3000))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post(path, content=many, headers=kind).status_code == 400
    assert browser.post(path, content=b"comment=\xff", headers=kind).status_code == 400
    assert browser.put(path, data=form).status_code == 405
    assert browser.request("OPTIONS", path).status_code == 405
    assert site.store.judgements(run) == []


def test_nothing_changes_by_looking(site: Site, run: str):
    browser = site.visitor()
    for path in ("done", "feedback?end=done&who=Eve&comment=hm", "films?candidates=0", "films"):
        browser.get(f"/runs/{run}/{path}")
    assert site.store.judgements(run) == []
    assert not list(site.store.run_folder(run).rglob("*.mp4"))


def test_every_answer_forbids_what_pages_do_not_need(site: Site, run: str):
    browser = site.visitor()
    answers = [
        browser.get(f"/runs/{run}/feedback"),
        browser.get("/static/app.css"),
        browser.get("/nothing"),
        site.stranger().get("/"),
        browser.get(site.link()),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers
    assert answers[0].headers["cache-control"] == "no-store"
    assert "style=" not in answers[0].text and "<script>" not in answers[0].text


def test_static_files_are_those_that_pages_name(site: Site):
    browser = site.stranger()
    assert browser.get("/static/app.css").status_code == 200
    for path in ("base.html.j2", "..%2fapp.py", "../app.py", "%2e%2e/app.py", "x"):
        assert browser.get(f"/static/{path}").status_code in (401, 404)


# --- with a password -----------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def sign_in(browser: httpx.Client, password: str) -> httpx.Response:
    return browser.post("/enter", data={"password": password, "next": "/runs/x"})


def test_a_password_lets_in_and_guessing_is_slowed_down(store: Store):
    clock = Clock()
    with Site(store, password="correct horse", clock=clock) as site:
        browser = site.stranger()
        asked = browser.get("/runs/x")
        assert asked.headers["location"] == "/enter?next=/runs/x"
        assert 'type="password"' in browser.get(asked.headers["location"]).text
        assert browser.get("/enter", params={"token": site.access.token()}).status_code == 200
        assert [sign_in(browser, f"guess {i}").status_code for i in range(4)] == [403] * 3 + [429]
        early = sign_in(browser, "correct horse")
        assert early.status_code == 429 and "set-cookie" not in early.headers
        clock.now += 1.9
        assert sign_in(browser, "correct horse").status_code == 429
        clock.now += 0.1
        assert sign_in(browser, "guess").status_code == 429
        clock.now += 3.9
        assert sign_in(browser, "correct horse").status_code == 429
        clock.now += 0.1
        entered = sign_in(browser, "correct horse")
        assert (entered.status_code, entered.headers["location"]) == (303, "/runs/x")
        assert browser.get("/runs/x").status_code == 404
        cross = browser.post("/enter", data={"password": "x"}, headers={"Origin": "http://evil"})
        assert cross.status_code == 403


def test_an_address_waits_no_longer_than_five_minutes():
    access = Access("correct horse", clock=lambda: 0.0)
    waits = []
    for _ in range(20):
        access._guesses = {n: (wrong, 0.0) for n, (wrong, _) in access._guesses.items()}
        assert access.sign_in("no", "2001:db8::1") is None
        waits.append(access.wait("2001:db8::ffff"))
    assert waits[:6] == [0, 0, 0, 2, 4, 8] and waits[-1] == 300
    assert access.wait("2001:db8:0:1::1") == 0


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/runs/a", "/runs/a"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/\t/evil.example", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(path: str, leads_to: str):
    assert local(path) == leads_to


# --- listening -----------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_said():
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} is taken; give another one with --port"):
            bind("127.0.0.1", port)
    with pytest.raises(UserError, match="cannot listen on no-such-host"):
        bind("no-such-host.invalid", 0)


def test_a_link_is_not_a_session():
    access = Access()
    assert access.redeem("") == "unknown"
    token = access.token("/x")
    redeemed = access.redeem(token)
    assert isinstance(redeemed, tuple) and redeemed[1] == "/x"
    assert access.redeem(token) == "used"
    assert access.session(redeemed[0]) is not None and access.session(token) is None
    assert access.sign_in("", "127.0.0.1") is None
