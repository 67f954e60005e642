from collections.abc import Iterator

import pytest

from reward_synth.store import Store
from tests.report.recorded_run import Recorder
from tests.web.site import Site


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("runs")) as opened:
        yield opened


@pytest.fixture(scope="module")
def recorder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return Recorder(store, tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="module")
def site(store: Store) -> Iterator[Site]:
    with Site(store) as serving:
        yield serving
