"""What a command's TASK stands for: a built-in task, a folder, or the id of an environment."""

from pathlib import Path

import typer


def made_on_the_fly(task: str, runs_dir: Path) -> bool:
    """Whether a task's folder is one that was made for the id of an environment."""
    from reward_synth.authoring.making import MADE

    return Path(task).absolute().parent == (runs_dir / MADE).absolute()


def resolve(name: str, runs_dir: Path) -> str:
    """A built-in task's name or the path of a folder, made first where ``name`` is the id of an
    installed environment.

    Raises:
        UserError: nothing is known by that name.
    """
    from reward_synth.task import list_tasks

    if name in list_tasks() or (Path(name) / "task.py").is_file():
        return name
    from reward_synth.authoring.making import task_on_the_fly

    return task_on_the_fly(name, runs_dir, lambda line: typer.echo(line, err=True))
