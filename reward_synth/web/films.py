"""Videos of policies: filmed one after another in the background, and sent by candidate.

Nothing is filmed or sent by a path that a request names: a request names a run and a candidate,
whose policy the store knows, and the video is the file beside it.
"""

import queue
import threading
from pathlib import Path
from typing import Literal

from reward_synth.errors import UserError
from reward_synth.report.video import NoOpenGLError, NoVideoError, film_beside, film_place
from reward_synth.store import Candidate, Run, Store
from reward_synth.store.fates import search_evaluation
from reward_synth.store.folder import read_untrusted

LIMIT = 64 * 2**20
"""Bytes of a video; eight seconds have some hundred thousand."""

State = Literal["there", "filming", "waiting", "none"]


class Films:
    """What is filmed, is to be filmed, and cannot be.

    The thread is a daemon: a film that is not finished when the application ends is made anew.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._asked: dict[Path, State] = {}
        """By the policy's path."""
        self._reasons: dict[Path, str] = {}
        """Why there is no film of a policy."""
        self._never = ""
        """Why there is none of any policy, on this machine."""
        self._queue: queue.SimpleQueue[tuple[Path, Path]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def policy(self, run: Run, candidate: Candidate) -> Path | None:
        """Whose film stands for a candidate: that of its search, or of its only training."""
        evaluation = search_evaluation(candidate) or next(iter(candidate.evaluations), None)
        return None if evaluation is None else self._store.run_folder(run.id) / evaluation.policy

    def state(self, run: Run, candidate: Candidate) -> tuple[State, str]:
        """How it stands with a candidate's film, and why there is none."""
        policy = self.policy(run, candidate)
        if policy is None:
            return "none", "it has no policy"
        if film_place(policy).is_file():
            return "there", ""
        with self._lock:
            reason = self._never or self._reasons.get(policy, "")
            return ("none", reason) if reason else (self._asked.get(policy, "none"), "")

    def ask(self, run: Run, candidate: Candidate) -> None:
        """Film a candidate's policy, unless that is done, under way or in vain."""
        policy = self.policy(run, candidate)
        if policy is None or self.state(run, candidate) != ("none", ""):
            return
        with self._lock:
            self._asked[policy] = "waiting"
            self._queue.put((Path(run.task_folder), policy))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def read(self, run: Run, candidate: Candidate) -> bytes:
        """A candidate's film.  Raises UserError where there is none."""
        policy = self.policy(run, candidate)
        if policy is None:
            raise UserError(f"candidate {candidate.number} has no policy to film")
        return read_inside(self._store.run_folder(run.id), film_place(policy))

    def _work(self) -> None:
        while True:
            task_folder, policy = self._queue.get()
            with self._lock:
                if self._never:
                    continue
                self._asked[policy] = "filming"
            reason, never = "", False
            try:
                film_beside(task_folder, policy)
            except (NoVideoError, UserError) as error:
                reason, never = str(error), isinstance(error, NoOpenGLError)
            with self._lock:
                self._asked.pop(policy, None)
                if never:
                    self._never = reason
                elif reason:
                    self._reasons[policy] = reason


def read_inside(folder: Path, path: Path) -> bytes:
    """A file in a run's folder.

    Raises UserError where there is none, where a link leads out, and for what is no plain file.
    """
    try:
        real = path.parent.resolve(strict=True)
        if not real.is_relative_to(folder.resolve(strict=True)):
            raise ValueError("it is not in the run's folder")
        return read_untrusted(real / path.name, LIMIT)
    except (OSError, ValueError) as error:
        raise UserError(f"there is no {path.name} to show") from error
