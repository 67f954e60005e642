"""Reading what is recorded, without making a runs folder where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reward_synth.commands import beside as beside
from reward_synth.commands import resume_command as resume_command
from reward_synth.errors import UserError

if TYPE_CHECKING:
    from reward_synth.store import Store


def has_runs(runs_dir: Path) -> bool:
    from reward_synth.store.runs import DATABASE

    return (runs_dir / DATABASE).is_file()


@contextmanager
def open_store(runs_dir: Path) -> Iterator["Store"]:
    """The store of an existing runs folder.  Raises UserError where nothing was recorded yet."""
    from reward_synth.store import Store

    if not has_runs(runs_dir):
        raise UserError(
            f"there are no runs in {runs_dir}; start one with `reward-synth run TASK`, or name "
            "another folder with --runs-dir"
        )
    with Store.open(runs_dir) as store:
        yield store
