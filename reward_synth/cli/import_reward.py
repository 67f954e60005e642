"""``reward-synth import FILE``: a reward written for another framework as a reward program."""

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.named_task import resolve
from reward_synth.cli.options import RUNS_DIR, Json
from reward_synth.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reward_synth.reward.dialects import Translation

EXAMPLE = (
    "Example: reward-synth import eureka_reward.py --task reacher-reach "
    "--map object_pos=fingertip_position --output reward.py"
)
PYTHON = (".py", ".txt", "")


def import_reward(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Code for NumPy, PyTorch or JAX, as Eureka and Text2Reward write it; or an "
            "answer of a language model (*.md).",
            show_default=False,
        ),
    ],
    task: Annotated[
        str,
        typer.Option("--task", metavar="TASK", help="The task whose variables the program reads."),
    ],
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="NAME=VARIABLE",
            help="Which variable a name in FILE stands for (repeatable), as "
            "robot.ee_pos=fingertip_position.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="REWARD.py",
            help="Where to write the program; it goes to the screen if not given.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Translate a reward function into the reward language, and check it; status 1 if refused."""
    from reward_synth.cli.check import caret
    from reward_synth.cli.output import count, print_json
    from reward_synth.llm import extract_program
    from reward_synth.reward import read_program
    from reward_synth.reward.dialects import translate
    from reward_synth.simulation import task_spec
    from reward_synth.task import load_task

    text = read_program(file)
    if file.suffix not in PYTHON:
        text = extract_program(text)
        if not text:
            raise UserError(
                f"{file} holds no program; it must define compute_reward in a code block"
            )
    if output is not None and output.exists():
        raise UserError(f"{output} exists already; delete it, or name another file")
    loaded = load_task(resolve(task, RUNS_DIR))
    variables = task_spec(loaded).readable
    translation = translate(text, variables, renamed(names or [], variables, text))
    if translation.findings and json:
        print_json(document(file, loaded.name, translation))
        raise typer.Exit(1)
    if translation.findings:
        lines = text.splitlines()
        for finding in translation.findings:
            told = f"{finding.message}; {finding.instead}" if finding.instead else finding.message
            typer.echo(f"{file}:{finding.line}:{finding.column}: error: {told}")
            if finding.line <= len(lines):
                typer.echo(f"    {lines[finding.line - 1]}")
                typer.echo(f"    {caret(lines[finding.line - 1], finding.column)}")
        typer.echo(f"{file}: refused, {count(len(translation.findings), 'finding')}")
        raise typer.Exit(1)
    if output is not None:
        try:
            output.write_text(translation.source, encoding="utf-8")
        except OSError as error:
            said = f"{output} cannot be written ({error.strerror}); name another file"
            raise UserError(said) from None
    report = told_of(file, translation, loaded.name)
    if json:
        print_json(document(file, loaded.name, translation))
    elif output is None:
        sys.stderr.write(report)
        typer.echo(translation.source, nl=False)
    else:
        typer.echo(report + f"written to {output}; next: reward-synth check {loaded.name} {output}")


def document(file: Path, task: str, translation: "Translation") -> dict[str, Any]:
    """What became of a file, as JSON."""
    return {
        "task": task,
        "path": str(file),
        "ok": not translation.findings,
        "source": translation.source,
        "notes": [asdict(note) for note in translation.notes],
        "findings": [asdict(finding) for finding in translation.findings],
    }


def told_of(file: Path, translation: "Translation", task: str) -> str:
    """What was translated, a line for each thing."""
    if not translation.changed:
        return f"{file}: a reward program for {task} already; nothing was translated\n"
    notes = "".join(f"{file}:{note.line}: {note.text}\n" for note in translation.notes)
    return f"{notes}{file}: a reward program for {task}; the static check accepts it\n"


def renamed(given: list[str], variables: "Mapping[str, int | None]", text: str) -> dict[str, str]:
    """``--map`` as a dict.

    Raises UserError: not NAME=VARIABLE, no such variable, no such name in the file, given twice.
    """
    from reward_synth.reward import advice

    result: dict[str, str] = {}
    for pair in given:
        known, equals, variable = (part.strip() for part in pair.partition("="))
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", known) or not variable:
            raise UserError(
                f"--map {pair}: write NAME=VARIABLE, as --map object_pos=target_position"
            )
        plain = variable if variable in variables else variable.removeprefix("prev_")
        if plain not in variables:
            raise UserError(
                f"--map {pair}: '{variable}' is not a variable of the task; "
                + advice.choose(variable, variables, "variables")
            )
        if not re.search(rf"(?<![\w.]){re.escape(known)}\b|\.{re.escape(known)}\b", text):
            raise UserError(
                f"--map {pair}: nothing in the file is called '{known}'; check its name"
            )
        if result.setdefault(known, variable) != variable:
            raise UserError(f"--map {pair}: '{known}' stands for '{result[known]}' already")
    return result
