from collections.abc import Iterator
from pathlib import Path

import pytest

from reward_synth.store import Store
from tests.report.recorded_run import Recorder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("runs")) as opened:
        yield opened


@pytest.fixture(scope="module")
def recorder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return Recorder(store, tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="module")
def searched(recorder: Recorder) -> str:
    """A finished search with a model, only to be read."""
    return recorder.whole_run()


@pytest.fixture
def filmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A film beside every policy, so that none is made: filming has tests of its own."""
    from reward_synth.report import video

    def film(task_folder: Path, policy: Path, out: Path) -> None:
        out.write_bytes(b"film of " + policy.parent.name.encode())

    monkeypatch.setattr(video, "render_video", film)
