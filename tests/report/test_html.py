"""The report: complete, self-contained, and deaf to what models try to write into it."""

import copy
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reward_synth.feedback import reflect
from reward_synth.report import write_report
from reward_synth.report.html import NO_MODEL, script_hash
from reward_synth.store import Store
from sandbox.messages import Checkpoint, ComponentStatistics, TrainingReport
from tests.report.recorded_run import Recorder, curve, score

LARGEST = sys.float_info.max
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """What a browser would see: elements, scripts and the text of the rest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.islands: dict[str, dict] = {}
        self.text = ""
        self.inside: list[tuple[str, dict[str, str | None]]] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs))
        self.elements.append(element)
        if tag not in ("meta", "img", "input", "br"):
            self.inside.append(element)

    def handle_endtag(self, tag):
        assert self.inside[-1][0] == tag
        self.inside.pop()

    def handle_data(self, data):
        tag, attributes = self.inside[-1] if self.inside else ("", {})
        if tag == "script" and attributes.get("type") == "application/json":
            self.islands[str(attributes["id"])] = json.loads(data)
        elif tag == "script":
            self.scripts.append(data)
        elif tag != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.usefixtures("filmed")
def test_a_report_shows_the_whole_run(store: Store, searched: str):
    path = write_report(store, searched)
    assert path == store.run_folder(searched) / "report.html"
    page = Page(path)
    assert page.inside == []
    for told in (
        "Swing the hanging pole up and balance it upright",
        "0.857",
        "0.806 to 0.908",
        "1.04",
        "0 is what the sparse reward reaches (0.244), 1 what the expert’s does (0.832).",
        "candidate 7, trained with seed 101",
        "Written by openai/test.",
        "1,400,000",
        "there is no variable `pole_hight`",
        "Generation 2: swing the pole up.",
        "memory: the training needed more than 4 GiB",
        "seed 101: 0.880",
    ):
        assert told in page.text
    assert "Reward uprightness first.\n\n```python\nUPRIGHT_WEIGHT = 2.0" in page.text
    candidates = [a["id"] for a in page.all("details") if "candidate" in (a.get("id") or "")]
    assert candidates == [f"candidate-{number}" for number in range(11)]
    (video,) = page.all("video")
    assert video["src"] == "data:video/mp4;base64,ZmlsbSBvZiBzZWVkLTEwMQ=="
    assert (store.run_folder(searched) / "best" / "video.mp4").read_bytes() == b"film of seed-101"


@pytest.mark.usefixtures("filmed")
def test_the_figures_hold_the_run_s_numbers(store: Store, searched: str):
    page = Page(write_report(store, searched))
    score, lineage, learning, components = page.islands.values()
    traces = {trace.get("name"): trace for trace in score["data"]}
    assert traces["candidate"]["y"] == [0.31, 0.42, 0.39, 0.71, 0.48, 0.55, 0.86, 0.8]
    assert traces["best so far"]["y"] == [0.31, 0.42, 0.42, 0.71, 0.71, 0.71, 0.86, 0.86]
    assert traces["confirmed on fresh seeds"]["y"] == pytest.approx([0.856667, 0.796667])
    assert len(traces["refused or failed"]["x"]) == 3
    assert [shape["y0"] for shape in score["layout"]["shapes"]] == [0.832, 0.244]
    assert score["layout"]["xaxis"]["ticktext"] == ["1", "2", "3"]
    numbers = [text for trace in lineage["data"] for text in trace.get("text", [])]
    assert sorted(map(int, numbers)) == list(range(11))
    assert len(learning["data"]) == 8
    best = [trace for trace in learning["data"] if trace.get("name") == "candidate 7"]
    assert len(best[0]["x"]) == 9  # no episode had ended at the first checkpoint
    assert [trace["name"] for trace in components["data"]] == ["upright", "centred", "effort"]
    assert len(components["data"][0]["y"]) == 10


@pytest.mark.usefixtures("filmed")
def test_a_report_loads_nothing_and_runs_only_its_own_scripts(store: Store, searched: str):
    page = Page(write_report(store, searched))
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv")]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert re.findall(r"'(sha256-[^']+)'", policy) == [script_hash(s) for s in page.scripts]
    assert len(page.scripts) == 2
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "poster", "action")
    ]
    assert all(value is not None and value.startswith(("data:", "#")) for value in addresses)
    assert not page.all("link")


@pytest.mark.usefixtures("filmed")
def test_what_models_write_stays_text(store: Store, recorder: Recorder):
    run_id = recorder.start(model=HOSTILE)
    harmless = recorder.proposal(0, 0, (), True)
    assert harmless.completion is not None
    completion = replace(
        harmless.completion,
        model=HOSTILE,
        text=HOSTILE,
        messages=[{"role": HOSTILE, "content": HOSTILE}],
    )
    source = f'"""{HOSTILE}"""\n'
    hostile = replace(harmless, source=source, note=HOSTILE, completion=completion)
    first, second = store.record_proposals(run_id, 0, [hostile, replace(hostile, slot=1)])
    store.set_gate_verdict(first, "accepted")
    recorder.evaluate(first, 0.5)
    store.set_gate_verdict(second, "accepted")
    store.record_failure(second, HOSTILE)
    store.fail_run(run_id, HOSTILE)
    page = Page(write_report(store, run_id))
    assert page.inside == []
    assert len(page.scripts) == 2
    assert not page.all("img")
    assert page.text.count(HOSTILE) >= 6
    # Plotly reads a subset of HTML: what reaches it is escaped once more.
    assert "&lt;img" in json.dumps(page.islands) and "<img" not in json.dumps(page.islands)


@pytest.mark.usefixtures("filmed")
def test_numbers_that_a_worker_made_up_are_drawn_and_told(store: Store, recorder: Recorder):
    """Curves are shown as the worker tells them; sums and squares of these are infinite."""
    component = ComponentStatistics(
        mean=LARGEST, min=-LARGEST, max=LARGEST, std=LARGEST, share=LARGEST
    )
    checkpoint = Checkpoint(
        step=2**53,
        seconds=LARGEST,
        episodes=2**53,
        episode_return=LARGEST,
        episode_length=LARGEST,
        fitness=LARGEST,
        success=LARGEST,
        components={"up": component, "other": component},
    )
    report = TrainingReport(
        seed=0,
        steps=2**53,
        seconds=LARGEST,
        environments=1,
        trainer="",
        checkpoints=[checkpoint] * 4,
    )
    run_id = recorder.start()
    [candidate] = store.record_proposals(run_id, 0, [recorder.proposal(0, 0, (), False)])
    store.set_gate_verdict(candidate, "accepted")
    recorder.evaluate(candidate, 0.5, report=report)
    page = Page(write_report(store, run_id))
    assert page.inside == [] and "0.500" in page.text
    assert "fitness 0.5" in reflect(recorder.task, report, score(0.5))


@pytest.mark.usefixtures("filmed")
def test_a_run_without_a_model_says_so(store: Store, recorder: Recorder):
    page = Page(write_report(store, recorder.whole_run(model=False)))
    assert NO_MODEL in page.text
    assert "Prompts" not in page.text
    assert "Tokens" not in page.text
    assert "changed one weight" in page.text


@pytest.mark.usefixtures("filmed")
def test_a_plain_training_shows_a_curve_per_seed(store: Store, recorder: Recorder):
    from reward_synth.search.config import TrainConfig

    config = TrainConfig(task="cartpole-swingup", reward="expert", steps=100_000)
    run_id = store.create_run("train", recorder.task, config)
    (candidate,) = store.record_proposals(run_id, 0, [recorder.proposal(0, 0, (), False)])
    store.set_gate_verdict(candidate, "accepted")
    for seed in (100, 101, 102):
        recorder.evaluate(candidate, 0.8, purpose="confirm", seed=seed)
    page = Page(write_report(store, run_id))
    learning, _ = page.islands.values()
    assert [trace["name"] for trace in learning["data"]] == ["seed 100", "seed 101", "seed 102"]


def test_an_unfinished_run_has_a_report_too(store: Store, recorder: Recorder):
    run_id = recorder.start()
    page = Page(write_report(store, run_id))
    assert "not finished" in page.text
    assert "No candidate has been trained and scored yet." in page.text
    candidates = store.record_proposals(run_id, 0, [recorder.proposal(0, 0, (), False)])
    store.set_gate_verdict(candidates[0], "refused", "no")
    assert list(Page(write_report(store, run_id)).islands) == ["figure-1"]


@pytest.mark.usefixtures("filmed")
def test_what_a_trainer_notes_is_told_once(store: Store, recorder: Recorder):
    run_id = recorder.start()
    proposals = [recorder.proposal(slot, 0, (), False) for slot in range(3)]
    for candidate in store.record_proposals(run_id, 0, proposals):
        store.set_gate_verdict(candidate, "accepted")
        note = "<b>environments halved</b>" if candidate.number else ""
        recorder.evaluate(candidate, 0.5, note=note)
    page = Page(write_report(store, run_id))
    assert page.text.count("<b>environments halved</b> (2 trainings)") == 1


@pytest.mark.usefixtures("filmed")
def test_a_reward_that_is_gamed_is_warned_of(store: Store, recorder: Recorder):
    run_id = recorder.start()
    [candidate] = store.record_proposals(run_id, 0, [recorder.proposal(0, 0, (), False)])
    store.set_gate_verdict(candidate, "accepted")
    report = curve(0.5, 0)
    for checkpoint in report.checkpoints[4:]:
        assert checkpoint.fitness is not None
        checkpoint.fitness -= 0.3
    recorder.evaluate(candidate, 0.2, report=report)
    page = Page(write_report(store, run_id))
    assert "Look at the winner closely." in page.text
    assert page.text.count("the reward is collected without doing the task") == 2


def test_a_task_that_is_gone_leaves_a_report_without_film(store: Store, recorder: Recorder):
    elsewhere = copy.copy(recorder)
    elsewhere.task = replace(recorder.task, folder=Path("/nowhere/cartpole-swingup"))
    page = Page(write_report(store, elsewhere.whole_run()))
    assert "No video: the task's folder /nowhere/cartpole-swingup cannot be loaded" in page.text
    assert "0.857" in page.text
