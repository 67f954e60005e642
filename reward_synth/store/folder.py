"""The run folder: the files of a run that people open.

    RUN/config.yaml
    RUN/candidates/0007/{reward.py, prompt.md, completion.md}
    RUN/candidates/0007/{report.json, policy.safetensors}            the training of the search
    RUN/candidates/0007/seed-100/{report.json, policy.safetensors}   a confirmation training
    RUN/best/{reward.py, report.json, policy.safetensors, best.json}

Every file appears whole or not at all: it is written under a temporary name beside its place,
forced to disk and renamed.  A kill leaves at worst such a temporary file, which
:func:`remove_temporary_files` takes away.
"""

import errno
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reward_synth.errors import UserError
from reward_synth.store.schema import Candidate, Evaluation

TEMPORARY_PREFIX = ".tmp-"
POLICY_SIZE_LIMIT = 256 * 2**20
"""Bytes; the largest policy of the built-in tasks has under one megabyte."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write ``path`` into one line for the user."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "free some space and continue with --resume; what was recorded is safe"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            advice = "make the folder writable or choose another one with --runs-dir"
        else:
            advice = "choose another folder with --runs-dir"
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {path}: {reason}; {advice}") from error


def atomic_write(path: Path, content: bytes | str) -> None:
    """Write ``content`` (text as UTF-8) to ``path``, whole or not at all, and durably.

    Missing parent folders are made.  Raises UserError when the disk is full or the place is
    not writable; a file that was there before is then unchanged.
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    with writing(path):
        make_folder(path.parent)
        temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}-{secrets.token_hex(6)}")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, durably: a row may name what is in it."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def candidate_folder(run_folder: Path, number: int, seed: int | None = None) -> Path:
    """``RUN/candidates/0007``, or its ``seed-100`` for a confirmation training."""
    folder = run_folder / "candidates" / f"{number:04d}"
    return folder if seed is None else folder / f"seed-{seed}"


def restore(path: Path, content: str) -> None:
    """Write ``content`` to ``path`` unless that is what it holds."""
    try:
        intact = path.read_bytes() == content.encode("utf-8", "replace")
    except OSError:
        intact = False
    if not intact:
        atomic_write(path, content)


def write_candidate_files(
    run_folder: Path,
    number: int,
    *,
    source: str,
    messages: Sequence[Mapping[str, str]] = (),
    completion: str | None = None,
) -> None:
    """Write ``reward.py`` and, where a model was asked, ``prompt.md`` and ``completion.md``.

    What is there already stays.
    """
    folder = candidate_folder(run_folder, number)
    if messages:
        restore(folder / "prompt.md", prompt_markdown(messages))
    if completion is not None:
        restore(folder / "completion.md", completion)
    restore(folder / "reward.py", source)


def report_json(candidate: int, evaluation: Evaluation) -> str:
    """What ``report.json`` says of a training."""
    facts = {
        "candidate": candidate,
        "purpose": evaluation.purpose,
        "seed": evaluation.seed,
        "score": evaluation.score,
        "report": evaluation.report,
    }
    return json.dumps(facts, indent=1) + "\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_policy(run_folder: Path, evaluation: Evaluation) -> bytes | None:
    """The policy of a training as it was recorded; None where it is damaged or gone.

    Raises UserError where that cannot be told.
    """
    path = run_folder / evaluation.policy
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; make it readable") from error
    return content if evaluation.policy_sha256 in ("", sha256(content)) else None


def write_best(
    run_folder: Path,
    candidate: Candidate,
    evaluation: Evaluation,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Make ``RUN/best`` a copy of a candidate with one of its trainings.

    ``facts`` go to ``best.json`` with the candidate's number.  The folder is exchanged as a
    whole, so it never mixes two candidates.  Raises UserError where the policy is damaged.
    """
    policy = read_policy(run_folder, evaluation)
    if policy is None:
        raise UserError(
            f"{run_folder / evaluation.policy} is damaged or gone; go on with --resume, which "
            "trains it again"
        )
    best = run_folder / "best"
    token = secrets.token_hex(6)
    fresh = run_folder / f"{TEMPORARY_PREFIX}best-{token}"
    stale = run_folder / f"{TEMPORARY_PREFIX}best-{token}-old"
    with writing(best):
        fresh.mkdir()
        atomic_write(fresh / "reward.py", candidate.source)
        atomic_write(fresh / "policy.safetensors", policy)
        atomic_write(fresh / "report.json", report_json(candidate.number, evaluation))
        best_facts = {
            "candidate": candidate.number,
            "policy": evaluation.policy,
            **(facts or {}),
        }
        atomic_write(fresh / "best.json", json.dumps(best_facts, indent=1) + "\n")
        if best.exists():
            best.rename(stale)
        fresh.rename(best)
        _sync_folder(run_folder)
        shutil.rmtree(stale, ignore_errors=True)
    return best


def prompt_markdown(messages: Sequence[Mapping[str, str]]) -> str:
    """A chat as one Markdown page, a heading per message."""
    return "\n\n".join(f"# {m['role']}\n\n{m['content'].strip()}" for m in messages) + "\n"


def read_untrusted(path: Path, limit: int = POLICY_SIZE_LIMIT) -> bytes:
    """Read a file that a worker left: a regular file of at most ``limit`` bytes, never a link.

    Raises ValueError otherwise: generated code may have put anything there, a link to a
    person's own files included.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ValueError(f"the worker left no readable {path.name}: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"the worker's {path.name} is not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"the worker's {path.name} has more than {limit} bytes")
    return data


def remove_temporary_files(run_folder: Path) -> list[Path]:
    """Remove what a killed process left half-written; call it only under the run's lock."""
    leftovers = sorted(run_folder.rglob(f"{TEMPORARY_PREFIX}*"))
    for path in leftovers:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return leftovers


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
