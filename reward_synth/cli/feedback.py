"""``reward-synth feedback RUN``: a person's word on the policies of a run."""

import getpass
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.dashboard import HOST, PORT, Host, Open, Port, check_extra, serve_feedback
from reward_synth.cli.options import RUNS_DIR, Json, RunId, RunsDir
from reward_synth.cli.output import console, print_json
from reward_synth.cli.recorded import open_store, resume_command
from reward_synth.cli.summary import short
from reward_synth.errors import UserError
from reward_synth.report.words import number

if TYPE_CHECKING:
    from rich.console import Console

    from reward_synth.search.listening import Listener, Round

EXAMPLE = """Examples:

reward-synth feedback RUN

reward-synth feedback RUN --web

reward-synth feedback RUN --rank "5 > 3 = 1" --say "5: it should lift its feet higher\""""
HELP = """\
  5: TEXT          a comment on the policy of candidate 5
  TEXT             a comment on all of them
  rank 5 > 3 = 1   the best first, equals joined by =
  pair             which two it would help most to compare
  code 5           the program of candidate 5
  diff 5           how it differs from the one that it was made from
  curves 5         how its training went, component by component
  film 5           a video of its policy
  program FILE     your own reward program: it is trained in the next generation
  done             nothing more to say; a run that waits goes on
  stop             no further generation; the run confirms its best and ends
  quit             leave; what was said is kept, and a run that waits waits on"""
ABOUT = re.compile(r"\s*(\d+)\s*:(.*)", re.DOTALL)


def feedback(
    run: RunId,
    say: Annotated[
        list[str] | None,
        typer.Option(
            "--say",
            metavar="TEXT",
            help="A comment on all policies, or on candidate 5 as `5: TEXT` (repeatable).",
        ),
    ] = None,
    rank: Annotated[
        str | None,
        typer.Option("--rank", metavar="RANKING", help="`5 > 3 = 1`: best first, equals by =."),
    ] = None,
    program: Annotated[
        Path | None,
        typer.Option(
            "--program",
            metavar="FILE",
            help="Your own reward program: it is trained in the next generation.",
        ),
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="No further generation: confirm the best and end.")
    ] = False,
    who: Annotated[
        str | None,
        typer.Option("--who", metavar="NAME", help="Your name; the user's if not given."),
    ] = None,
    film: Annotated[
        bool, typer.Option("--film/--no-film", help="Film the policies of the generation first.")
    ] = True,
    web: Annotated[
        bool, typer.Option("--web", help="On a web page, with the videos side by side.")
    ] = False,
    host: Host = HOST,
    port: Port = PORT,
    open_browser: Open = False,
    runs_dir: RunsDir = RUNS_DIR,
    json: Json = False,
) -> None:
    """Judge the policies of a run's last generation; what you say enters the next prompts.

    Without --say, --rank, --program and --stop it asks, or with --json only tells what there is to
    judge. A run that was started with --feedback waits for you after each generation, and goes on
    when you are done.
    """
    from reward_synth.reward import read_program
    from reward_synth.search.listening import Listener, current_round, parse_ranking

    given = bool(say or rank or program or stop)
    if web:
        if given or json:
            raise UserError("--web is where you say it: leave --say, --rank, … and --json out")
        check_extra()
    with open_store(runs_dir) as store:
        round_ = current_round(store, run)
        if web:
            watched = round_ if film else None
            serve_feedback(store, run, watched, host, port, who or "", open_browser=open_browser)
            return
        listener = Listener(store, round_, who or user())
        out = console(stderr=json)
        sitting = Sitting(listener, runs_dir, out, film=film)
        if not given:
            print_json(sitting.document()) if json else sitting.hold()
            return
        # Whatever is wrong is found before anything is recorded.
        source = None if program is None else read_program(program)
        ranking = None if rank is None else parse_ranking(rank, round_.known)
        said = [about(text, round_) for text in say or ()]
        if source is not None:
            out.print(f"your program is candidate {listener.program(source)}")
        for candidate, text in said:
            listener.comment(text, candidate)
        if ranking is not None:
            listener.rank(ranking)
        end(listener, out, stop=stop, runs_dir=runs_dir)
        if json:
            print_json(sitting.document())


def user() -> str:
    """The user's name on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "a person"


def about(text: str, round_: "Round") -> tuple[int | None, str]:
    """The candidate that a comment is about (None for all), and the comment.

    Raises UserError for an unknown candidate, and for no comment.
    """
    found = ABOUT.fullmatch(text)
    candidate, words = (None, text) if found is None else (int(found[1]), found[2])
    if not words.strip():
        raise UserError("an empty comment says nothing; write what the policy should do")
    return (None if candidate is None else round_.candidate(candidate).number), words.strip()


def end(listener: "Listener", out: "Console", *, stop: bool, runs_dir: Path) -> None:
    """End the sitting, and say what becomes of what was said."""
    listener.stop() if stop else listener.done()
    round_ = listener.round
    if stop:
        out.print("recorded; the run begins no further generation")
    elif round_.run.status == "finished":
        more = f"{resume_command(round_.run.id, runs_dir)} --iterations {round_.generation + 2}"
        out.print(f"recorded; the run is over, take it up again with: {more}", soft_wrap=True)
    elif round_.next is None:
        out.print("recorded; the run has begun its last generation, so no prompt will hold it")
    else:
        out.print(f"recorded; generation {round_.next + 1} is made with it")


class Sitting:
    """A person before a terminal, until they are done."""

    def __init__(self, listener: "Listener", runs_dir: Path, out: "Console", *, film: bool) -> None:
        self.listener = listener
        self.round = listener.round
        self.runs_dir = runs_dir
        self.filming = film
        self.out = out
        self.commands: dict[str, Callable[[str], Any]] = {
            "rank": self.rank,
            "pair": self.pair,
            "code": self.code,
            "diff": self.diff,
            "curves": self.curves,
            "film": self.film,
            "program": self.program,
        }

    def hold(self) -> None:
        """Show the generation, then take line after line.  Ctrl-D quits."""
        self.show()
        self.out.print(HELP, style="dim")
        while True:
            try:
                line = input("> " if sys.stdin.isatty() else "").strip()
            except EOFError:
                line = "quit"
            if line == "quit":
                self.out.print("what was said is kept; come back for the rest")
                return
            if line in ("done", "stop"):
                end(self.listener, self.out, stop=line == "stop", runs_dir=self.runs_dir)
                return
            try:
                self.obey(line)
            except UserError as error:
                self.out.print(str(error), style="red")

    def obey(self, line: str) -> None:
        """A command, or else a comment."""
        word, _, rest = line.partition(" ")
        if not line or line == "help":
            self.out.print(HELP, style="dim")
        elif word in self.commands:
            self.commands[word](rest)
        else:
            candidate, text = about(line, self.round)
            self.listener.comment(text, candidate)

    def document(self) -> dict[str, Any]:
        """What there is to judge, and what was said so far, as JSON."""
        from reward_synth.cli.runs import candidate_facts
        from reward_synth.report.video import NoVideoError
        from reward_synth.store.fates import search_evaluation

        told = []
        for candidate in self.round.candidates:
            evaluation = search_evaluation(candidate)
            score = {} if evaluation is None else evaluation.score
            facts = candidate_facts(candidate)
            facts |= {"success": score.get("success"), "length": score.get("length")}
            try:
                video = self.video(candidate.number)
            except NoVideoError as error:
                self.out.print(f"no video: {error}")
                self.filming, video = False, None
            told.append({**facts, "video": None if video is None else str(video)})
        run, following = self.round.run, self.round.next
        return {
            "run": run.id,
            "status": run.status,
            "generation": self.round.generation,
            "next": following,
            "candidates": told,
            "pair": self.listener.most_telling() if len(self.round.known) > 1 else None,
            "said": [
                {
                    "generation": said.generation,
                    "kind": said.kind,
                    "who": said.who,
                    "given": said.given.isoformat(),
                    "candidate": said.candidate,
                    "text": said.text,
                    "ranking": said.ranking,
                    "shown": said.shown,
                }
                for said in self.listener.store.judgements(run.id)
            ],
        }

    def show(self) -> None:
        """The generation as a table: numbers, what the program says of itself, the video."""
        from rich import box
        from rich.table import Table

        from reward_synth.cli.runs import searched_line
        from reward_synth.feedback.comparison import docstring
        from reward_synth.store.fates import search_evaluation

        films = {c.number: self.film_of(c.number) for c in self.round.candidates}
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        measured = any(searched_line(c) for c in self.round.candidates)
        for heading in ("#", *(["fitness"] if measured else []), "success", "steps"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("made from", no_wrap=True)
        table.add_column("what it pays for, and its video", overflow="fold")
        for candidate in self.round.candidates:
            evaluation = search_evaluation(candidate)
            score = {} if evaluation is None else evaluation.score
            success = score.get("success")
            said = docstring(candidate.source) or candidate.note
            table.add_row(
                str(candidate.number),
                *([searched_line(candidate)] if measured else []),
                "–" if success is None else f"{100 * success:.0f} %",
                number(score.get("length")),
                ", ".join(map(str, candidate.parents)),
                "\n".join(filter(None, (said, films[candidate.number]))),
            )
        run = self.round.run
        of = f"generation {self.round.generation + 1} of {self.round.config.iterations}"
        self.out.print(f"{run.id} · {of} · {run.status}")
        self.out.print(table)

    def film_of(self, candidate: int) -> str:
        """Where a candidate's video is, filmed if need be; or why there is none."""
        from reward_synth.report.video import NoVideoError

        try:
            video = self.video(candidate)
        except NoVideoError as error:
            self.filming = False
            return f"no video: {error}"
        return "" if video is None else short(video)

    def video(self, candidate: int) -> Path | None:
        """A candidate's video, filmed if need be; None where no films are wanted.

        Raises NoVideoError where there can be none.
        """
        from reward_synth.report.video import film_beside
        from reward_synth.store.fates import search_evaluation

        evaluation = search_evaluation(self.round.candidate(candidate))
        if not self.filming or evaluation is None:
            return None
        run = self.round.run
        policy = self.listener.store.run_folder(run.id) / evaluation.policy
        with self.out.status(f"filming candidate {candidate} …"):
            return film_beside(Path(run.task_folder), policy)

    def film(self, rest: str) -> None:
        self.filming = True
        self.out.print(self.film_of(self.number(rest)), soft_wrap=True)

    def rank(self, rest: str) -> None:
        from reward_synth.search.listening import parse_ranking

        self.listener.rank(parse_ranking(rest, self.round.known))

    def pair(self, rest: str) -> None:
        """Ask for the comparison that tells most."""
        one, other = self.listener.most_telling()
        self.out.print(f"which is better, {one} or {other}?  rank {one} > {other}, or the reverse")
        self.film(str(one))
        self.film(str(other))

    def code(self, rest: str) -> None:
        from rich.syntax import Syntax

        source = self.round.candidate(self.number(rest)).source.strip()
        self.out.print(Syntax(source, "python", theme="ansi_dark", background_color="default"))

    def diff(self, rest: str) -> None:
        """The lines by which a program differs from its first parent."""
        from rich.syntax import Syntax

        from reward_synth.feedback.comparison import unified

        candidate = self.round.candidate(self.number(rest))
        parent = self.round.parent(candidate)
        if parent is None:
            raise UserError(f"candidate {candidate.number} was made from no other one")
        names = f"candidate {parent.number}", f"candidate {candidate.number}"
        told = unified(parent.source, candidate.source, *names) or "the two are equal"
        self.out.print(Syntax(told, "diff", theme="ansi_dark", background_color="default"))

    def curves(self, rest: str) -> None:
        from reward_synth.cli.sparklines import curve_table
        from reward_synth.store.fates import search_evaluation

        evaluation = search_evaluation(self.round.candidate(self.number(rest)))
        assert evaluation is not None
        self.out.print(curve_table(evaluation.report))

    def program(self, rest: str) -> None:
        from reward_synth.reward import read_program

        made = self.listener.program(read_program(Path(rest.strip()).expanduser()))
        self.out.print(f"your program is candidate {made}; it is trained in the next generation")

    def number(self, text: str) -> int:
        if not text.strip().isdecimal():
            raise UserError(f"{text.strip()!r} is no candidate's number")
        return int(text)
