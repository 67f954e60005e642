"""The run folder is made to agree with the database again, whatever happened to its files."""

from reward_synth.store.folder import read_policy, report_json, restore, write_candidate_files
from reward_synth.store.schema import Evaluation
from reward_synth.store.store import Store


def restore_files(store: Store, run_id: str) -> list[Evaluation]:
    """Write anew what is damaged or missing of a run's files; call it only under the run's lock.

    A policy is kept nowhere else: a training whose policy is damaged or gone is forgotten, so that
    it is made again.  Gives those.
    """
    folder = store.run_folder(run_id)
    forgotten = []
    for candidate in store.candidates(run_id):
        completion = candidate.completion
        write_candidate_files(
            folder,
            candidate.number,
            source=candidate.source,
            messages=completion.messages if completion else (),
            completion=completion.text if completion else None,
        )
        for evaluation in candidate.evaluations:
            if read_policy(folder, evaluation) is None:
                store.forget_evaluation(evaluation)
                forgotten.append(evaluation)
            else:
                report = (folder / evaluation.policy).with_name("report.json")
                restore(report, report_json(candidate.number, evaluation))
    return forgotten
