"""One self-contained page about a run: ``report.html``, which opens anywhere, without a network.

What models wrote (code, prompts, names, reasons) is escaped wherever it appears, and a content
security policy lets the page run its own two scripts and load nothing.
"""

import base64
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from reward_synth.errors import UserError
from reward_synth.report.code import highlighted
from reward_synth.report.figures import figures
from reward_synth.report.page import page_file, page_template
from reward_synth.report.pruning import ladders, measures_of, rung_lines, table, what_pruning_did
from reward_synth.report.rungs import MOST_PANELS, rungs
from reward_synth.report.tables import (
    best_candidate,
    best_policy,
    confirmations,
    confirmed_fitness,
    facts,
    headline,
    score_name,
    search_interval,
    search_score,
    training_notes,
    warnings_of,
)
from reward_synth.report.tensorboard import write_all_events
from reward_synth.report.video import NoVideoError, film_beside, film_place
from reward_synth.report.words import number
from reward_synth.store import Candidate, Run, Store, atomic_write
from reward_synth.store.fates import mean_fitness, search_evaluations
from reward_synth.task import Task, load_task
from reward_synth.version import __version__

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NO_MODEL = "No language model was used: candidates came from the offline proposer."
STATES = {
    "running": "not finished",
    "finished": "finished",
    "stopped": "stopped at a limit",
    "failed": "failed",
}
KINDS = {"search": "a search for a reward", "train": "a training"}


def write_report(store: Store, run_id: str) -> Path:
    """Write ``runs/RUN/report.html`` for a run, finished or not, and give its path.

    Films the best policy beside its file (once; a later report takes the film that is there) and
    writes TensorBoard events.  Raises UserError for an unknown run or a folder that cannot be
    written; a video that cannot be made is told on the page.
    """
    run = store.get_run(run_id)
    folder = store.run_folder(run_id)
    try:
        task = load_task(run.task_folder)
    except UserError:
        task = None  # the folder is gone or broken; what was recorded can still be read
    video, no_video = film_of_the_best(run, folder, task)
    write_all_events(folder, run)
    path = folder / "report.html"
    atomic_write(path, render(run, task, video, no_video))
    return path


def film_of_the_best(run: Run, folder: Path, task: Task | None) -> tuple[bytes | None, str]:
    """The film as mp4 bytes, or None and the reason why there is none."""
    evaluation = best_policy(run)
    if evaluation is None:
        return None, "nothing was trained"
    policy = folder / evaluation.policy
    if task is None and not film_place(policy).is_file():
        return None, f"the task's folder {run.task_folder} cannot be loaded any more"
    try:
        content = film_beside(Path(run.task_folder), policy).read_bytes()
    except NoVideoError as error:
        return None, str(error)
    if (folder / "best").is_dir():
        atomic_write(folder / "best" / "video.mp4", content)
    return content, ""


def render(run: Run, task: Task | None, video: bytes | None, no_video: str) -> str:
    """The page's HTML."""
    from plotly.offline import get_plotlyjs

    best, kept = best_candidate(run), best_policy(run)
    numbers = headline(run)
    normalised = numbers["human_normalised"] if numbers else None
    counted = facts(run)
    prompts = _prompts(run)
    plotly, script = inline_script(get_plotlyjs()), inline_script(page_file("report.js"))
    template = page_template("report.html.j2")
    return template.render(
        run=run,
        kind=KINDS[run.kind],
        status=STATES.get(run.status, run.status),
        description=task.description if task else run.task,
        headline=numbers,
        score_label=score_label(run),
        score_name=score_name(run),
        fitness_doc=task.fitness_doc if task else "",
        normalised=None if normalised is None else f"{normalised:.2f}",
        scale=scale_line(run.result or {}),
        model_line=model_line(run),
        video=base64.b64encode(video).decode() if video else None,
        no_video=no_video.rstrip("."),
        best_number=best.number if best else None,
        film_seed=kept.seed if kept else None,
        best_note=best.note if best else "",
        winner_code=highlighted(best.source) if best else "",
        facts=counted.rows(),
        fates=counted.fates(),
        notes=training_notes(run),
        figures=[_drawn(title, hint, figure) for title, hint, figure in figures(run)],
        pruning=_pruning(run),
        candidates=_candidates(run, best, prompts),
        prompts=list(prompts.values()),
        settings=[(name, _setting(value)) for name, value in run.config.items()],
        version=__version__,
        style=Markup(page_file("report.css")),
        plotly=plotly,
        script=script,
        script_hashes=[script_hash(plotly), script_hash(script)],
    )


def score_label(run: Run) -> str:
    name = score_name(run).capitalize()
    return f"Best {name.lower()}" if run.kind == "search" else name


def model_line(run: Run) -> str:
    """Who wrote the candidates."""
    written = Counter(c.completion.model for c in run.candidates if c.completion is not None)
    if len(written) == 1:
        return f"Written by {next(iter(written))}."
    if written:
        shares = [f"{model} ({share})" for model, share in sorted(written.items())]
        return f"Written by {', '.join(shares)}; in brackets the number of candidates."
    if run.kind == "search":
        return NO_MODEL
    return "No language model was used."


def scale_line(result: dict[str, Any]) -> str:
    """What the human-normalised score's 0 and 1 stand for."""
    levels = [
        f" ({number(result[name])})" if result.get(name) is not None else ""
        for name in ("sparse", "expert")
    ]
    return f"0 is what the sparse reward reaches{levels[0]}, 1 what the expert’s does{levels[1]}."


def json_island(text: str) -> Markup:
    """JSON that can stand in a script element: nothing in it can close or comment that out."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def inline_script(source: str) -> Markup:
    """JavaScript that can stand in a script element (the sequence occurs only in strings)."""
    return Markup(source.replace("</script", "<\\/script").replace("\r\n", "\n"))


def script_hash(source: str) -> str:
    """The content security policy's name for a script."""
    digest = hashlib.sha256(source.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def _drawn(title: str, hint: str, figure: "Figure") -> dict[str, Any]:
    return {
        "title": title,
        "hint": hint,
        "height": figure.to_plotly_json()["layout"]["height"],
        "json": json_island(str(figure.to_json())),
    }


def _pruning(run: Run) -> dict[str, Any] | None:
    """The figure and the tables of all rungs; None where there are none."""
    climbed = ladders(run)
    if not climbed:
        return None
    hint = (
        "Fitness at each rung; bars are 95 % intervals. Coloured lines went on to the end, "
        "grey ones were dropped at their cross. In the tables → went on, ✕ was dropped, ● came to "
        "the end."
    )
    if len(climbed) > MOST_PANELS:
        hint += f" The last {MOST_PANELS} generations are drawn, the tables show all."
    return {
        **_drawn("Pruning", hint, rungs(run)),
        "told": what_pruning_did(run),
        "tables": [table(run, ladder) for ladder in climbed],
    }


def _candidates(
    run: Run, best: Candidate | None, prompts: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    fitness = {c.number: f for c in run.candidates if (f := search_score(c)) is not None}
    low, high = min(fitness.values(), default=0.0), max(fitness.values(), default=0.0)
    low = min(low, 0.0)
    order = list(prompts)
    rows = []
    for c in run.candidates:
        value = fitness.get(c.number)
        confirmed = confirmed_fitness(c)
        completion = c.completion
        tokens = ""
        if completion is not None and completion.completion_tokens:
            tokens = f"{completion.completion_tokens:,} tokens"
        rows.append(
            {
                "number": c.number,
                "generation": c.generation + 1,
                "best": best is not None and c.number == best.number,
                "fitness": "" if value is None else number(value),
                "searched": _searched(c),
                "rungs": rung_lines(measures_of(c)) if c.rungs else [],
                "share": 0 if value is None or high == low else (value - low) / (high - low),
                "confirmed": "" if confirmed is None else number(confirmed),
                "seeds": [(e.seed, number(e.fitness)) for e in confirmations(c)],
                "status": c.status,
                "state": c.status + (f", repair {c.repair}" if c.repair else ""),
                "how": c.reason or c.note,
                "reason": c.reason,
                "findings": c.findings,
                "warnings": warnings_of(c),
                "parents": c.parents,
                "code": highlighted(c.source) if c.source else None,
                "completion": completion.text if completion else None,
                "tokens": tokens,
                "prompt": order.index(_key(completion.messages)) + 1 if completion else None,
            }
        )
    return rows


def _searched(candidate: Candidate) -> str:
    """The search's fitness over several seeds, in words; empty for one seed."""
    trained, spread = search_evaluations(candidate), search_interval(candidate)
    if len(trained) < 2 or spread is None:
        return ""
    seeds = ", ".join(f"seed {e.seed}: {number(e.fitness)}" for e in trained)
    return (
        f"In the search, mean over {len(trained)} seeds {number(mean_fitness(trained))} "
        f"(95 % interval {number(spread[0])} to {number(spread[1])}); {seeds}"
    )


def _prompts(run: Run) -> dict[str, dict[str, Any]]:
    """Every different prompt with the candidates that answered it, in order."""
    prompts: dict[str, dict[str, Any]] = {}
    for c in run.candidates:
        if c.completion is not None:
            messages = c.completion.messages
            entry = prompts.setdefault(_key(messages), {"messages": messages, "numbers": []})
            entry["numbers"].append(c.number)
    return prompts


def _key(messages: list[Any]) -> str:
    return json.dumps(messages)


def _setting(value: Any) -> str:
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
