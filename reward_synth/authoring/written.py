"""Puts what a language model wrote into the draft of a task.

Nothing of it becomes code of ``task.py``.  Words are string literals; a program of the reward
language is one, too, spelt out again from its checked syntax tree.  ``EpisodeMeasure`` checks it
once more whenever it is run, and gives it nothing but the variables that it names.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reward_synth.authoring.draft import Draft, VariableDraft, quoted
from reward_synth.reward import Finding, RewardError, parse
from reward_synth.reward.measure import Over
from reward_synth.reward.program import Canonical
from reward_synth.reward.source import syntax_tree

LONGEST_PROGRAM = 8_000
"""Characters of a measure's program: five times a long one."""
PLAIN = re.compile(r"[ -!#-\[\]-~\n]*")
"""ASCII without double quotes and backslashes: between double quotes it stands for itself."""
LONGEST_NAME = 100
"""Characters of a model's name in the files."""
KEPT = "default_fitness"
"""What the draft's fitness is called where the draft's success goes on reading it."""


@dataclass(frozen=True)
class VariableWords:
    """Other words for a variable; None leaves what is there."""

    doc: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Words:
    """Documentation of a task."""

    variables: Mapping[str, VariableWords]
    description: str | None = None


@dataclass(frozen=True)
class Measure:
    """A fitness or a success."""

    program: str
    """As :func:`spelt_out` gives it."""
    over: Mapping[str, Over]
    doc: str
    at_least: float | None = None
    """Of a success: what the measure has to reach."""
    whole_episode: bool = False
    """Of a success: whether an episode that ends early is none."""


def spelt_out(source: str, sizes: Mapping[str, int | None]) -> str:
    """A program of the reward language in the spelling in which it goes into ``task.py``.

    Comments, annotations and docstrings, which the check does not read, are left out.  ``sizes``
    are those of :func:`reward_synth.reward.parse`.

    Raises RewardError where the program is not in the language, too long, or not in ASCII.
    """
    program = parse(source, sizes)
    tree = ast.fix_missing_locations(Canonical(set()).visit(syntax_tree(source)))
    text = ast.unparse(tree).strip() + "\n"
    if len(text) > LONGEST_PROGRAM:
        raise _refused("too-long", f"the program is longer than {LONGEST_PROGRAM:,} characters")
    if not PLAIN.fullmatch(text):
        raise _refused("ascii", "the program has names that are not in ASCII")
    if parse(text, sizes).digest != program.digest:
        raise _refused("spelling", "the program means something else when it is spelt out again")
    return text


def _refused(code: str, message: str) -> RewardError:
    return RewardError([Finding(1, 1, code, message, "write a simpler one")])


def with_words(draft: Draft, words: Words, model: str) -> Draft:
    """The draft with other documentation."""
    variables = [_reworded(variable, words.variables) for variable in draft.variables]
    changed = [new.name for new, old in zip(variables, draft.variables, strict=True) if new != old]
    written = [f"the documentation of {', '.join(changed)}"] if changed else []
    if words.description is not None:
        written.insert(0, "the description")
    return replace(
        draft,
        variables=variables,
        description=draft.description if words.description is None else words.description,
        written_by=plain_name(model),
        written=[*draft.written, *written],
    )


def _reworded(variable: VariableDraft, words: Mapping[str, VariableWords]) -> VariableDraft:
    found = words.get(variable.name, VariableWords())
    return replace(
        variable,
        doc=variable.doc if found.doc is None else found.doc,
        unit=variable.unit if found.unit is None else found.unit,
    )


def with_measures(
    draft: Draft, fitness: Measure | None, success: Measure | None, model: str
) -> Draft:
    """The draft with another fitness, success, or both; None keeps its own.

    Where the draft has no rewards for the baselines, and its environment brings none along, the
    programs of the measures are taken for them.
    """
    if fitness is None and success is None:
        return draft
    functions = functions_of(draft.functions)
    if fitness is not None:
        _keep_for_success(functions, replaced=success is not None)
        functions["fitness"] = _source("fitness", fitness, draft, model)
    if success is not None:
        functions["success"] = _source("success", success, draft, model)
    parts = (("the fitness", fitness), ("the success", success))
    written = [name for name, measure in parts if measure is not None]
    order = sorted(functions, key=lambda name: (name == "success", name == "fitness"))
    made = replace(
        draft,
        functions="\n\n\n".join(functions[name].strip("\n") for name in order),
        fitness_doc=draft.fitness_doc if fitness is None else fitness.doc,
        success_doc=draft.success_doc if success is None else success.doc,
        rewards=_rewards(draft, fitness, success),
        written_by=plain_name(model),
        written=[*draft.written, *written],
    )
    return replace(made, constants=[c for c in draft.constants if _is_read(c.name, made)])


def functions_of(source: str) -> dict[str, str]:
    """The functions of a draft by name, each with the lines before it that are its own."""
    lines = source.split("\n")
    found: dict[str, str] = {}
    begin = 0
    for node in ast.parse(source).body:
        assert isinstance(node, ast.FunctionDef) and node.end_lineno is not None
        found[node.name] = "\n".join(lines[begin : node.end_lineno]).strip("\n")
        begin = node.end_lineno
    return found


def _keep_for_success(functions: dict[str, str], *, replaced: bool) -> None:
    """Under another name, the fitness that a success which stays reads."""
    success, fitness = functions.get("success", ""), functions.get("fitness")
    if fitness is None or replaced or "fitness(" not in success:
        return
    functions.pop("success")
    functions[KEPT] = re.sub(r"\bfitness\(", f"{KEPT}(", fitness, count=1)
    functions["success"] = re.sub(r"\bfitness\(", f"{KEPT}(", success)


def _source(name: str, measure: Measure, draft: Draft, model: str) -> str:
    """The measure and its function, as they stand in ``task.py``."""
    constant = f"{name.upper()}_MEASURE"
    over = "".join(f"{quoted(part)}: {quoted(way)}, " for part, way in measure.over.items())
    lines = [
        f"# Written by the language model {plain_name(model)}: a program of the reward language.",
        f'{constant} = EpisodeMeasure(\n    """\n{measure.program}""",',
        f"    over={{{over.removesuffix(', ')}}},",
        f"    written_by={quoted(plain_name(model))},",
        ")",
    ]
    called = f"{constant}(episode, {draft.episode_steps})"
    if name == "fitness":
        lines += [
            "\n\ndef fitness(episode: Episode) -> float:",
            f'    """What ``{constant}`` gives, as ``fitness_doc`` says."""',
            f"    return {called}",
        ]
    else:
        level = measure.at_least if measure.at_least is not None else 0.5
        whole = "not episode.terminated and " if measure.whole_episode else ""
        lines += [
            f"SUCCESS_LEVEL = {level!r}",
            '"""What the measure of a success has to reach."""',
            "\n\ndef success(episode: Episode) -> bool:",
            f'    """Whether ``{constant}`` is high enough, as ``success_doc`` says."""',
            f"    return {whole}{called} >= SUCCESS_LEVEL",
        ]
    return "\n".join(lines)


def _rewards(draft: Draft, fitness: Measure | None, success: Measure | None) -> Mapping[str, str]:
    """The baselines' rewards, of a draft that has no fitness of its own."""
    if draft.fitness_doc or fitness is None:
        return draft.rewards
    sparse = success or fitness
    return {"expert": fitness.program, "sparse": sparse.program}


def _is_read(constant: str, draft: Draft) -> bool:
    """Whether a constant is named anywhere but where it is defined."""
    sources = [draft.functions, draft.world, draft.episode_steps, *draft.fields.values()]
    sources += [variable.binding for variable in draft.variables]
    return any(re.search(rf"\b{constant}\b", source) for source in sources)


def plain_name(model: str) -> str:
    """A model's name as a comment and Markdown may hold it: printable ASCII on one line."""
    return re.sub(r"[^ -~]|[`\"\\]", "?", model)[:LONGEST_NAME]
