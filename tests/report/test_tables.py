"""A run's numbers, counted from what the store holds."""

import pytest

from reward_synth.report.tables import best_candidate, best_policy, best_training, facts, headline
from reward_synth.report.words import duration, number, shortened
from reward_synth.store import Store
from tests.report.recorded_run import Recorder


def test_what_a_run_took_is_counted(store: Store, searched: str):
    counted = facts(store.get_run(searched))
    assert (counted.candidates, counted.refused, counted.failed) == (11, 1, 2)
    assert counted.repaired == 1
    assert counted.execute_rate == pytest.approx(7 / 10)
    assert counted.trainings == 8 + 2 * 3
    assert counted.environment_steps == 1_400_000
    # Four requests (three generations and a repair); eleven completions.
    assert (counted.prompt_tokens, counted.completion_tokens) == (3 * 900, 11 * 210)
    assert counted.cost == pytest.approx(11 * 0.0031)
    assert counted.fates() == ["1 refused: unknown-variable", "2 failed: 2 × memory", "1 repaired"]
    told = dict(counted.rows())
    assert told["Execute rate"] == "70 %"
    assert told["Wall-clock"] == "5 min 1 s"
    assert told["Cost"] == "US$ 0.0341"


def test_the_winner_is_the_recorded_one_and_before_that_the_best_so_far(
    store: Store, recorder: Recorder, searched: str
):
    run = store.get_run(searched)
    numbers = headline(run)
    assert numbers is not None
    assert (numbers["fitness"], numbers["interval"]) == ("0.857", "0.806 to 0.908")
    best = best_candidate(run)
    assert best is not None
    assert best.number == 7
    shown, kept = best_training(run), best_policy(run)
    assert shown is not None
    assert kept is not None
    assert (shown.purpose, shown.fitness) == ("search", 0.86)
    assert (kept.purpose, kept.seed, kept.fitness) == ("confirm", 101, 0.88)

    unfinished = recorder.start()
    assert headline(store.get_run(unfinished)) is None
    for candidate in store.record_proposals(
        unfinished, 0, [recorder.proposal(slot, 0, (), False) for slot in range(2)]
    ):
        recorder.fate(candidate, 0.4 - 0.1 * candidate.number)
    numbers = headline(store.get_run(unfinished))
    assert numbers is not None
    assert (numbers["fitness"], numbers["interval"]) == ("0.400", "0.370 to 0.430")
    assert "so far" in numbers["basis"]


def test_an_unknown_price_makes_the_cost_unknown(store: Store, searched: str):
    run = store.get_run(searched)
    run.completions[3].cost = None
    assert facts(run).cost is None
    assert dict(facts(run).rows())["Cost"] == "unknown"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "–"),
        (-1e-9, "0.000"),
        (0.12345, "0.123"),
        (12.3456, "12.35"),
        (-345.67, "-345.7"),
        (4567.8, "4,568"),
    ],
)
def test_numbers_show_the_figures_that_matter(value: float | None, told: str):
    assert number(value) == told


def test_durations_and_long_texts_are_short():
    assert [duration(s) for s in (4.26, 61, 3_725)] == ["4.3 s", "1 min 1 s", "1 h 2 min"]
    assert shortened("one\n two   three", 9) == "one two …"
