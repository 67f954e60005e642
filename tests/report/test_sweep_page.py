"""Methods of a sweep, and the page that shows them."""

from dataclasses import replace
from pathlib import Path

import pytest

from reward_synth.report.comparison import Row, compare
from reward_synth.report.methods import Method, Tried, improvements, methods
from reward_synth.report.sweep_page import Left, SweepFacts, above_expert, render
from reward_synth.store import Store
from reward_synth.store.ledger import load_ledgers


@pytest.fixture(scope="module")
def row(store: Store, searched: str) -> Row:
    [part] = compare(load_ledgers(store, [searched]))
    return part.rows[0]


def tried(row: Row, method: str, scores: dict[str, list[float]]) -> list[Tried]:
    return [
        Tried(method, task, replace(row, status="finished", human_normalised=score))
        for task, own in scores.items()
        for score in own
    ]


@pytest.fixture
def found(row: Row) -> list[Method]:
    good = tried(row, "good", {"ant": [1.2, 1.6], "pole": [0.4, 2.0]})
    poor = tried(row, "poor", {"ant": [0.1, 0.3], "pole": [0.5, 0.7]})
    lost = [Tried("lost", "ant", None), Tried("lost", "ant", replace(row, status="failed"))]
    unfinished = [Tried("poor", "ant", replace(row, status="stopped", human_normalised=9.0))]
    return methods([*lost, *poor, *unfinished, *good])


def test_methods_stand_in_order_and_only_finished_runs_count(row: Row, found: list[Method]):
    assert [method.name for method in found] == ["good", "poor", "lost"]
    good, poor, lost = found
    assert good.iqm is not None and good.iqm.value == pytest.approx((1.2 + 1.6) / 2)
    assert above_expert(good) == "2 of 2 (100 %)" and above_expert(poor) == "0 of 2 (0 %)"
    assert (poor.scored, poor.runs) == (4, 5)
    assert (lost.scored, lost.runs, lost.iqm, lost.profile) == (0, 2, None, None)
    # What was taken counts whatever came of it.
    assert poor.trainings == 5 * row.counted.trainings
    assert lost.trainings == row.counted.trainings


def test_pairs_of_methods_are_those_with_a_task_of_both(found: list[Method]):
    [pair] = improvements(found)
    assert (pair.method, pair.other) == ("good", "poor")
    # On ant both of good's runs win; on pole 2.0 beats both and 0.4 neither.
    assert pair.probability.value == pytest.approx((1.0 + 0.5) / 2)


def facts(store: Store, searched: str, found: list[Method]) -> SweepFacts:
    return SweepFacts(
        name="night",
        searches=11,
        finished=8,
        seconds=75.0,
        compared=compare(load_ledgers(store, [searched])),
        methods=found,
        improvements=improvements(found),
        labels={searched: "<b>mine</b>"},
        left=[Left("ant · lost", "failed", "<script>alert(1)</script>"), Left("x", "waiting", "")],
    )


def test_the_page_shows_methods_runs_and_what_is_left(
    store: Store, searched: str, found: list[Method], tmp_path: Path
):
    page = render(facts(store, searched, found), store, tmp_path / "sweep.html")
    assert "11 searches, 3 methods, 2 tasks" in page and "8 of 11 finished" in page
    assert page.count("<figure>") >= 3
    for word in ("Performance profiles", "Probability of improvement", "over poor", "not begun"):
        assert word in page
    assert searched in page


def test_what_others_wrote_is_text_on_the_page(
    store: Store, searched: str, found: list[Method], tmp_path: Path
):
    page = render(facts(store, searched, found), store, tmp_path / "sweep.html")
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert "<b>mine" not in page and "&lt;b&gt;mine" in page


def test_a_page_without_scores_says_why(
    store: Store, searched: str, found: list[Method], tmp_path: Path
):
    nothing = replace(facts(store, searched, found[2:]), improvements=[])
    page = render(nothing, store, tmp_path / "sweep.html")
    assert "No human-normalised score" in page and "Performance profiles" not in page
