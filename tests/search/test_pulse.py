"""What a run says it is at, as another process reads it while it works, and afterwards."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from reward_synth.search import Progress
from reward_synth.search.pulse import pulse
from reward_synth.store import Store
from reward_synth.store.activity import SILENCE, activity, record_activity
from reward_synth.store.schema import Activity, now
from tests.search.small_searches import search


def wait_for(store: Store, run: str, **expected: object) -> Activity:
    """The activity once it is as expected."""
    said = None
    for _ in range(600):
        said = activity(store, run)
        if said and all(getattr(said, name) == value for name, value in expected.items()):
            return said
        time.sleep(0.05)
    raise AssertionError(f"it never was {expected}; last: {said and said.doing}")


def test_a_search_tells_what_it_trains_and_takes_it_back(tmp_path: Path):
    seen: list[Activity] = []

    def look(event: Progress) -> None:
        if event.kind == "training" and not seen:
            with Store.open(tmp_path) as other:
                seen.append(wait_for(other, event.run, doing="training"))

    run = search(tmp_path, look, model="offline", samples=2, iterations=1)
    (said,) = seen
    assert said.generation == 0
    assert {"candidate": 0, "seed": 0, "steps": 512} in [
        {name: training[name] for name in ("candidate", "seed", "steps")}
        for training in said.trainings
    ]
    with Store.open(tmp_path) as store:
        assert activity(store, run.id) is None


@pytest.fixture
def run(tmp_path: Path) -> str:
    return search(tmp_path, model="offline", samples=1, iterations=1).id


def test_what_is_trained_follows_the_events(tmp_path: Path, run: str):
    def training(candidate: int, step: int) -> Progress:
        return Progress(
            "training", run, generation=1, candidate=candidate, seed=0, step=step, steps=900
        )

    with Store.open(tmp_path) as store:
        with pulse(store, run, lambda event: None) as tell:
            tell(training(4, 0))
            tell(training(5, 300))
            tell(Progress("scored", run, generation=1, candidate=4, seed=0, fitness=0.5))
            said = wait_for(store, run, doing="training", generation=1)
            assert [(t["candidate"], t["step"]) for t in said.trainings] == [(5, 300)]
            tell(Progress("confirming", run, message="2 trainings"))
            tell(training(5, 600))
            assert wait_for(store, run, doing="confirming the best on fresh seeds")
        assert activity(store, run) is None


def test_the_word_of_a_killed_process_is_not_believed_for_ever(tmp_path: Path, run: str):
    with Store.open(tmp_path) as store:
        record_activity(store, run, "training", 0, [])
        assert activity(store, run) is not None
        with store.engine.begin() as connection:
            connection.execute(update(Activity).values(beat=now() - SILENCE - timedelta(seconds=1)))
        assert activity(store, run) is None


def test_a_run_goes_on_where_its_pulse_cannot_be_written(tmp_path: Path, run: str):
    heard: list[Progress] = []
    with Store.open(tmp_path) as store:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE activities")
        with pulse(store, run, heard.append) as tell:
            tell(Progress("started", run))
    assert [event.kind for event in heard] == ["started"]
