"""A recorded run is taken up again by the process that holds its lock."""

from pydantic import BaseModel

from reward_synth.search.progress import Observer, Progress
from reward_synth.store import Store, restore_files


def reopen(
    run_id: str, *, store: Store, observer: Observer, config: BaseModel | None = None
) -> bool:
    """Make a run ready to go on; False where another process finished it before this had its lock.

    ``config`` are its settings with other limits.  Damaged files are written anew; trainings whose
    policies are damaged or gone are made again.
    """
    if store.get_run(run_id).status == "finished":
        return False
    store.reopen_run(run_id, config)
    for evaluation in restore_files(store, run_id):
        path = store.run_folder(run_id) / evaluation.policy
        message = f"{path} is damaged or gone: that training is made again"
        observer(Progress("damaged", run_id, seed=evaluation.seed, message=message))
    return True
