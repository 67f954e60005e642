"""``tasks new … --model M``: asks the model, and has a person decide on what it wrote."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reward_synth.errors import UserError

if TYPE_CHECKING:
    from reward_synth.authoring.by_model import Decision, Proposal, Written
    from reward_synth.authoring.draft import Draft
    from reward_synth.llm import LanguageModel

OFFLINE = "offline"
MANUAL = "manual"


def connect_author(model: str | None, base_url: str | None) -> "LanguageModel":
    """The model that is asked.  Raises UserError."""
    from reward_synth.llm import connect

    if model is None:
        raise UserError("--base-url needs the server's model: add --model NAME")
    if model.strip() in (OFFLINE, MANUAL):
        raise UserError(
            f"--model {model.strip()} writes no tasks: name a language model, or leave it out"
        )
    return connect(model, base_url)


def write_by_model(
    model: "LanguageModel", draft: "Draft", folder: Path, say: str | None, *, asking: bool
) -> "Written":
    """The draft with what the model wrote; ``asking`` is whether somebody decides on each part.

    The draft is tried in a folder of its own before, so that nothing is left where this fails.

    Raises UserError and RunError.
    """
    from reward_synth.authoring.by_model import Author
    from reward_synth.authoring.making import make_folder

    if say is None and not draft.fitness_doc:
        raise UserError("--goal none leaves open what is to be learned: add --say for the model")
    with tempfile.TemporaryDirectory(prefix="reward-synth-") as scratch, progress() as show:
        show("trying the default task")
        task = make_folder(draft, Path(scratch) / (folder.resolve().name or "task"))
        author = Author(
            model,
            task,
            draft,
            sentence=say,
            decide=(lambda proposal: ask(proposal, show)) if asking else lambda proposal: "accept",
            progress=show,
        )
        return author.write()


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Says what is going on: with a spinner in a terminal, else a line each; "" stops it."""
    from reward_synth.cli.output import console

    out = console(stderr=True)
    if not out.is_terminal:
        yield lambda line: out.print(f"{line} …") if line else None
        return
    spinner = out.status("")

    def show(line: str) -> None:
        if line:
            spinner.update(f"{line} …")
            spinner.start()
        else:
            spinner.stop()

    try:
        yield show
    finally:
        spinner.stop()


def ask(proposal: "Proposal", show: Callable[[str], None]) -> "Decision":
    """Show what the model wrote, and have a person decide on it."""
    from reward_synth.cli.output import console

    show("")
    out = console()
    out.print(f"\n{proposal.part}", style="bold")
    for line in proposal.lines:
        out.print(f"  {line}", soft_wrap=True)
    out.print(f"  default: {proposal.default}", style="dim", soft_wrap=True)
    decisions: dict[str, Decision] = {"a": "accept", "d": "default", "k": "again"}
    while True:
        said = typer.prompt("[a]ccept, keep the [d]efault, or as[k] again", default="a")
        decision = decisions.get(said.strip().lower())
        if decision is not None:
            return decision
        out.print("answer a, d or k")


def usage_line(written: "Written") -> str:
    """What the model wrote and what it took, in one line."""
    from reward_synth.cli.output import count
    from reward_synth.cli.summary import model_line

    draft, usage = written.draft, written.usage
    what = "; ".join(draft.written) or "nothing"
    return (
        f"written by {draft.written_by or 'the model'}: {what}; "
        f"{count(usage.requests, 'request')}, {model_line(vars(usage))}"
    )


def usage_document(written: "Written") -> dict[str, Any]:
    """The same as JSON."""
    return {
        "model": written.draft.written_by or None,
        "written": list(written.draft.written),
        "refused": dict(written.refused),
        **vars(written.usage),
    }
