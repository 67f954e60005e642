"""Learning curves as TensorBoard reads them."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from reward_synth.report.tensorboard import write_all_events, write_events
from reward_synth.store import Store
from sandbox.messages import TrainingReport


def test_events_are_read_by_tensorboard(store: Store, searched: str):
    folder = store.run_folder(searched)
    for _ in range(2):  # the second time changes nothing
        write_all_events(folder, store.get_run(searched))
    written = sorted(path.name for path in (folder / "tensorboard").iterdir())
    assert written[-4:] == ["0008", "0008-seed-100", "0008-seed-101", "0008-seed-102"]
    assert len(written) == 14
    events = EventAccumulator(str(folder / "tensorboard" / "0007"))
    events.Reload()
    evaluation = store.candidates(searched)[7].evaluations[0]
    points = evaluation.report["checkpoints"]
    upright = events.Scalars("components/upright")
    assert [event.step for event in upright] == [point["step"] for point in points]
    assert upright[-1].value == pytest.approx(points[-1]["components"]["upright"]["mean"])
    assert len(events.Scalars("rollout/fitness")) == 9


def test_of_two_reports_at_once_the_quicker_one_counts(store: Store, searched: str, tmp_path: Path):
    evaluation = store.candidates(searched)[7].evaluations[0]
    report = TrainingReport.model_validate(evaluation.report)
    for _ in range(2):  # the other report wrote the folder after this one had looked for it
        write_events(tmp_path / "0007", report, 0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["0007"]
    assert len(list((tmp_path / "0007").iterdir())) == 1
