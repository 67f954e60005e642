"""The application: its commands, and the one place where errors become lines and exit statuses.

Exit status 0 is success, 1 a failed run or check, 2 the user's mistake, 3 a run that stopped at a
limit, 130 an interruption.  No key or password reaches a line, nor the traceback of --debug.
"""

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from reward_synth.cli import (
    check,
    compare,
    dashboard,
    doctor,
    export_policy,
    feedback,
    import_reward,
    runs,
    score,
    sweep,
    tasks,
    train,
)
from reward_synth.cli import run as run_command
from reward_synth.errors import STOPPED, FaultsError, LimitError, RunError, UserError
from reward_synth.redaction import Secrets

DEBUG = "--debug"
OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""New ones.  Python's own 700 make it look for cycles hundreds of times while rows are loaded,
which is a tenth of what the commands that read the database take."""

app = typer.Typer(
    name="reward-synth",
    help="From one sentence to a reward function that trains a robot.",
    epilog="Example: reward-synth run cartpole-swingup",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    if wanted:
        from reward_synth import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show the traceback of an error; may stand anywhere.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """From one sentence to a reward function that trains a robot."""


app.add_typer(tasks.app, name="tasks")
app.command("run", epilog=run_command.EXAMPLE)(run_command.run)
app.command("check", epilog=check.EXAMPLE)(check.check)
app.command("import", epilog=import_reward.EXAMPLE)(import_reward.import_reward)
app.command("train", epilog=train.EXAMPLE)(train.train)
app.command("score", epilog=score.EXAMPLE)(score.score)
app.command("export-policy", epilog=export_policy.EXAMPLE)(export_policy.export_policy)
app.command("runs", epilog=runs.EXAMPLE_RUNS)(runs.runs)
app.command("show", epilog=runs.EXAMPLE_SHOW)(runs.show)
app.command("feedback", epilog=feedback.EXAMPLE)(feedback.feedback)
app.command("dashboard", epilog=dashboard.EXAMPLE)(dashboard.dashboard)
app.command("report", epilog=runs.EXAMPLE_REPORT)(runs.report)
app.command("compare", epilog=compare.EXAMPLE)(compare.compare)
app.command("sweep", epilog=sweep.EXAMPLE)(sweep.sweep)
app.command("doctor", epilog=doctor.EXAMPLE)(doctor.doctor)


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = DEBUG in given
    secrets = Secrets.known(texts=given)
    threading.excepthook = lambda failed: show_traceback(failed.exc_value, secrets)
    try:
        code = status([argument for argument in given if argument != DEBUG], secrets, debug=debug)
    except Exception as error:
        show_traceback(error, secrets)
        code = 1
    # An impatient second Ctrl-C ends the process as it stands, without a traceback of its exit.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.freeze()  # at its exit Python would look for cycles in all that was loaded, for a tenth more
    sys.exit(code)


def show_traceback(error: BaseException | None, secrets: Secrets) -> None:
    sys.stderr.write(secrets.hide("".join(traceback.format_exception(error))))


def status(arguments: Sequence[str], secrets: Secrets, *, debug: bool = False) -> int:
    """Run one command; what goes wrong is said in one line, or raised again for ``debug``."""
    try:
        outcome = app(list(arguments), prog_name="reward-synth", standalone_mode=False)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except (UserError, RunError) as error:
        if debug:
            raise
        for line in error.faults if isinstance(error, FaultsError) else [str(error)]:
            complain(secrets.hide(line))
        if isinstance(error, LimitError):
            return STOPPED
        return 2 if isinstance(error, UserError) else 1
    except typer.TyperException as error:
        if message := error.format_message().replace("Value error, ", "", 1):  # of pydantic
            context = getattr(error, "ctx", None)
            help_of = "reward-synth" if context is None else context.command_path
            complain(f"{secrets.hide(message).rstrip('.')}; see `{help_of} --help`")
        return error.exit_code
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough (`| head`); Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        if is_interruption(error):
            complain("interrupted")
            return 130
        said = f"{type(error).__name__}: {secrets.hide(str(error))}"
        complain(f"{said}; this is a bug, run again with {DEBUG}")
        return 1


def is_interruption(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: one that meets the import of an extension is an ImportError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    prefix = "\x1b[1;31merror:\x1b[0m" if coloured() else "error:"
    print(prefix, " ".join(message.split()), file=sys.stderr)


def coloured() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ
