"""Reading programs: several threads do it at once, as answers of a model come in."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from reward_synth.reward.source import read_tree

SOURCE = "def compute_reward(x):\n" + "".join(
    f"    a{i} = xp.tanh(x * ({i} + (1 + (2 + (3 + (4 + x))))))\n" for i in range(40)
)


@pytest.fixture
def collected_often() -> Iterator[None]:
    """Another thread goes on in the middle of parsing, where garbage is collected.

    Packages that hold memory of their own have callbacks in collections, JAX for one.
    """

    def give_way(*_: object) -> None:
        time.sleep(0)

    before = gc.get_threshold()
    gc.callbacks.append(give_way)
    gc.set_threshold(100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(give_way)


@pytest.mark.usefixtures("collected_often")
def test_threads_that_parse_at_once_do_not_disturb_each_other():
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(read_tree, [SOURCE] * 32))
    assert all(tree is not None and not findings for tree, findings in read)
