"""What must hold whatever happens: trainings stay, scores are right, runs can be read."""

import contextlib
import hashlib
import io
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_synth.store.runs import DATABASE

Key = tuple[int, int, str]
"""Candidate's number, seed, purpose."""
ACROSS_RUNS = {"seconds"}
"""What a result holds that differs from run to run."""
TIMED = ("report.json", "best.json")
"""Files that tell how long something took."""
BUG = ("Traceback", "this is a bug")


@dataclass(frozen=True)
class Kept:
    """A finished training as the database has it."""

    row: int
    finished: str
    fitness: float
    score: str
    report: str
    policy: str
    """Hash of the policy's file; empty where there is none."""


def rows(runs_dir: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the database without the tool; nothing where there is none yet."""
    path = runs_dir / DATABASE
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise


def first_run(runs_dir: Path) -> tuple[str, str] | None:
    """Name and state of the oldest run."""
    found = rows(runs_dir, "SELECT id, status FROM runs ORDER BY created LIMIT 1")
    return found[0] if found else None


def trainings(runs_dir: Path, run: str) -> dict[Key, Kept]:
    """All finished trainings of a run."""
    found = rows(
        runs_dir,
        "SELECT c.number, e.seed, e.purpose, e.id, e.finished, e.fitness, e.score, e.report,"
        " e.policy FROM evaluations e JOIN candidates c ON c.id = e.candidate_id"
        " WHERE c.run_id = ?",
        run,
    )
    return {
        (number, seed, purpose): Kept(*facts, policy=digest(runs_dir / run / policy))
        for number, seed, purpose, *facts, policy in found
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def lost(before: dict[Key, Kept], now: dict[Key, Kept], damaged: set[Key]) -> Iterator[str]:
    """Trainings that were recorded and are gone, have changed, or were made again.

    One whose policy chaos itself ``damaged`` may be made again.
    """
    for key, old in before.items():
        new = now.get(key)
        name = "candidate {} seed {} ({})".format(*key)
        if key in damaged or new == old:
            continue
        if new is None:
            yield f"{name} is gone"
        elif (new.row, new.finished) != (old.row, old.finished):
            yield f"{name} was trained again"
        else:
            yield f"{name} has changed"


def findings(runs_dir: Path, run: str) -> dict[str, Any]:
    """Everything of a finished run that must not depend on what happened to it, as JSON."""
    [(status, result)] = rows(runs_dir, "SELECT status, result FROM runs WHERE id = ?", run)
    candidates = rows(
        runs_dir,
        "SELECT number, generation, slot, repair, source, status, reason, parents FROM candidates"
        " WHERE run_id = ? ORDER BY number",
        run,
    )
    rungs = rows(
        runs_dir,
        "SELECT c.number, r.rung, r.steps, r.fitness, r.low, r.high, r.kept FROM rungs r"
        " JOIN candidates c ON c.id = r.candidate_id WHERE c.run_id = ? ORDER BY c.number, r.rung",
        run,
    )
    folder = runs_dir / run
    found = {
        "status": status,
        "result": {n: v for n, v in json.loads(result or "{}").items() if n not in ACROSS_RUNS},
        "candidates": candidates,
        "rungs": rungs,
        "trainings": [
            [*key, kept.fitness, json.loads(kept.score)]
            for key, kept in sorted(trainings(runs_dir, run).items())
        ],
        "files": {
            str(path.relative_to(folder)): digest(path)
            for part in ("candidates", "best")
            for path in sorted((folder / part).rglob("*"))
            if path.is_file() and path.name not in TIMED
        },
    }
    return json.loads(json.dumps(found))


def differences(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """Where a run is not what the undisturbed one is, in one line for each part."""
    for part, wanted in expected.items():
        given = found[part]
        if given == wanted:
            continue
        if isinstance(wanted, list):
            pairs = [(w, g) for w, g in zip(wanted, given, strict=False) if w != g]
            first = pairs[0] if pairs else (f"{len(wanted)} rows", f"{len(given)} rows")
        elif isinstance(wanted, dict):
            names = [n for n in sorted({*wanted, *given}) if wanted.get(n) != given.get(n)]
            first = ({n: wanted.get(n) for n in names}, {n: given.get(n) for n in names})
        else:
            first = (wanted, given)
        yield f"{part}: expected {str(first[0])[:300]}, found {str(first[1])[:300]}"


def wrong_scores(runs_dir: Path, run: str, task_name: str) -> Iterator[str]:
    """Scores that the stored policies do not get when they are rolled out once more."""
    from reward_synth.errors import UserError
    from reward_synth.evaluation.score import score_policies
    from reward_synth.task import load_task

    policies = rows(
        runs_dir,
        "SELECT c.number, e.seed, e.policy, e.score FROM evaluations e"
        " JOIN candidates c ON c.id = e.candidate_id WHERE c.run_id = ?",
        run,
    )
    paths = [runs_dir / run / policy for *_, policy, _ in policies]
    scores = score_policies(load_task(task_name), paths) if paths else []
    for (number, seed, _, recorded), score in zip(policies, scores, strict=True):
        if isinstance(score, UserError):
            yield f"candidate {number} seed {seed}: {score}"
        elif score.model_dump(mode="json") != json.loads(recorded):
            yield f"candidate {number} seed {seed}: recorded {recorded[:80]}, is {score.fitness}"


def best_is_wrong(runs_dir: Path, run: str) -> Iterator[str]:
    """What ``best/`` holds that is not the winner's."""
    [(result,)] = rows(runs_dir, "SELECT result FROM runs WHERE id = ?", run)
    winner = json.loads(result)["winner"]
    [(source,)] = rows(
        runs_dir, "SELECT source FROM candidates WHERE run_id = ? AND number = ?", run, winner
    )
    best = runs_dir / run / "best"
    if (best / "reward.py").read_text() != source:
        yield "best/reward.py is not the winner's program"
    own = {kept.policy for key, kept in trainings(runs_dir, run).items() if key[0] == winner}
    if digest(best / "policy.safetensors") not in own:
        yield "best/policy.safetensors is none of the winner's policies"


def leftovers(runs_dir: Path, temporary: Path) -> Iterator[str]:
    """Files that nobody will need again."""
    for path in [*temporary.iterdir(), *runs_dir.rglob(".tmp-*")]:
        inside = [str(one.relative_to(path)) for one in path.rglob("*")][:5]
        yield f"{path} is left behind" + (f", with {', '.join(inside)}" if inside else "")


def unreadable(runs_dir: Path, run: str | None) -> Iterator[str]:
    """What the reading commands say that is neither an answer nor one line with exit status 2."""
    from reward_synth.cli.main import status
    from reward_synth.redaction import Secrets

    commands = [["runs", "--json"]]
    if run is not None:
        commands += [["show", run, "--json"], ["report", run]]
    for command in commands:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = status([*command, "--runs-dir", str(runs_dir)], Secrets.known())
        yield from rude(f"reward-synth {command[0]}", code, (0, 2), err.getvalue())


def rude(what: str, code: int, allowed: tuple[int, ...], said: str) -> Iterator[str]:
    """A status that is not allowed, a traceback, or a refusal in more than one line."""
    if code not in allowed:
        yield f"{what} ended with {code}: {said[-300:]}"
    elif any(word in said for word in BUG):
        yield f"{what} showed its inside: {said[-600:]}"
    elif code == 2 and said.count("error:") != 1:
        yield f"{what} ended with 2 and said {said[-300:]!r}"
