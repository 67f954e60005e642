"""What the check and the programs that it accepts must keep: one program, looked at closely."""

import ast
import dis
import math
import re
import resource
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from reward_synth.reward import RewardError, RewardProgram, parse
from reward_synth.reward.compiled import CompiledReward
from reward_synth.reward.finding import Finding
from reward_synth.reward.names import stored_names
from reward_synth.reward.namespace import NUMBER
from reward_synth.reward.source import NOT_TEXT
from reward_synth.reward.vocabulary import HELPER_FUNCTIONS, XP_CONSTANTS, XP_FUNCTIONS
from sandbox.probe import judge

MOST_SECONDS = 1.0
"""Of the processor, for one check."""
MOST_BYTES = 200 * 2**20
"""By which one check may enlarge the process."""
SMALL_ROWS = 12
"""States on which the namespaces are compared."""
ALONE = (0, 5, 11)
"""Of those, the ones that are also given alone."""
LONGEST_FINDING = 700
TOLERANCE = 1e-7
"""Relative difference of two namespaces, or of a batch and its rows, in double precision."""
ROUGHLY = 1e-2
"""Relative difference of single and double precision that only rounding, magnified, gives."""
SHAKEN = "<shaken>"
WOBBLE = 1e-9
"""Relative change of the inputs that tells whether a program magnifies rounding."""
SHARPENED = 1e6
"""A result that moves by more than this times the change is nobody's to compare."""

Arrays = Mapping[str, np.ndarray]
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Ground:
    """Where programs are looked at: a task's variables, and states of its episodes."""

    task: str
    sizes: Mapping[str, int | None]
    rows: Arrays
    """Every variable and its ``prev_``, ``(M,)`` or ``(M, d)``."""


@dataclass(frozen=True)
class Find:
    """A promise that was not kept: ``kind`` is the same for all that are alike."""

    kind: str
    detail: str


@dataclass
class Outcome:
    """What came of one program."""

    accepted: bool = False
    codes: list[str] = field(default_factory=list)
    """Of the check's findings."""
    warned: list[str] = field(default_factory=list)
    """Codes of the probe's findings that are no break of the contract."""
    finds: list[Find] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    """Functions of the vocabulary that an accepted program calls."""
    compared: bool = False
    """Whether its values were compared; not where it magnifies rounding."""


def examine(source: str, ground: Ground) -> Outcome:
    """Check the program and, if it is accepted, hold it to the contract."""
    outcome = Outcome()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = checked(source, ground.sizes, outcome)
        if program is not None:
            outcome.accepted = True
            subject = Subject(program, program.compile("numpy"), ground, outcome)
            for law in (allowed_code, probed, agreeing):
                broken(law, subject)
    for warning in caught:
        kind = f"warns: {alike(str(warning.message))}"
        outcome.finds.append(Find(kind, f"{warning.filename}:{warning.lineno}"))
    return outcome


@dataclass(frozen=True)
class Subject:
    """An accepted program, and where it is looked at."""

    program: RewardProgram
    reward: CompiledReward
    ground: Ground
    outcome: Outcome


def broken(law: Callable[[Subject], Iterator[Find]], subject: Subject) -> None:
    try:
        subject.outcome.finds += law(subject)
    except Exception as error:
        subject.outcome.finds.append(Find(f"{law.__name__}: {raised(error)}", str(error)))


def raised(error: Exception) -> str:
    return alike(f"{type(error).__name__}: {error}")


def alike(message: str) -> str:
    """A message without names, numbers and places."""
    message = re.sub(r"line \d+, column \d+: ", "", message.split("\n")[0])
    message = re.sub(r"'[^']*'", "'…'", message)
    return re.sub(r"-?\d[\d.,e+-]*", "#", message)[:120]


# --- the check


def checked(source: str, sizes: Mapping[str, int | None], outcome: Outcome) -> RewardProgram | None:
    """The program, if the check accepts it; what the check itself does wrong is noted."""
    program = None
    grown, begun = largest(), time.process_time()
    try:
        program = parse(source, sizes)
    except RewardError as error:
        seconds = time.process_time() - begun
        outcome.codes = [finding.code for finding in error.findings]
        outcome.finds += unclear(source, error.findings)
    except Exception as error:
        seconds = time.process_time() - begun
        outcome.finds.append(Find(f"the check raises {raised(error)}", str(error)))
    else:
        seconds = time.process_time() - begun
    if seconds > MOST_SECONDS:
        outcome.finds.append(Find("the check takes too long", f"{seconds:.1f} s"))
    if largest() - grown > MOST_BYTES:
        outcome.finds.append(Find("the check takes too much memory", f"{largest() - grown} bytes"))
    return program


def largest() -> int:
    """Bytes that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def unclear(source: str, findings: list[Finding]) -> Iterator[Find]:
    """Findings that do not say where, what, and what to do instead."""
    if not findings:
        yield Find("a refusal without findings", "")
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    for finding in findings:
        what = f"{finding.code} ({alike(finding.message)})"
        if not finding.code or not finding.message:
            yield Find("a finding says nothing", repr(finding))
        if not finding.instead:
            yield Find(f"no advice: {what}", str(finding))
        if not 1 <= finding.line <= len(lines) + 1:
            yield Find(f"a line that is not there: {what}", str(finding))
        elif finding.line <= len(lines) and finding.column > len(lines[finding.line - 1]) + 2:
            yield Find(f"a column that is not there: {what}", str(finding))
        if finding.column < 1:
            yield Find(f"a column before the first: {what}", str(finding))
        if NOT_TEXT.search(str(finding)) or len(str(finding)) > LONGEST_FINDING:
            yield Find(f"not a readable line: {what}", repr(finding))


# --- the code that is run

XP_NAMES = {part for path in (*XP_FUNCTIONS, *XP_CONSTANTS) for part in path.split(".")}
OPERATIONS = re.compile(
    r"BINARY_OP|BINARY_SUBSCR|BINARY_SLICE|BUILD_(TUPLE|LIST|MAP|CONST_KEY_MAP|SLICE)|CALL\w*"
    r"|COMPARE_OP|COPY|FOR_ITER|END_FOR|GET_ITER|(POP_)?JUMP\w*|KW_NAMES|LIST_EXTEND|LIST_TO_TUPLE|LOAD_\w+"
    r"|MAKE_FUNCTION|NOP|POP_(TOP|ITER)|PRECALL|PUSH_NULL|RESUME|RETURN_(VALUE|CONST)"
    r"|STORE_(FAST|NAME)\w*|SWAP|TO_BOOL|UNARY_\w+|UNPACK_SEQUENCE|EXTENDED_ARG|CACHE|NOT_TAKEN"
    r"|SET_FUNCTION_ATTRIBUTE|DICT_UPDATE|MAP_ADD|LIST_APPEND"
)
"""Instructions that a program of the language needs: none imports, raises, deletes, or stores into
attributes, entries or globals."""
NEEDED = frozenset(dis.opmap[name] for name in dis.opmap if OPERATIONS.fullmatch(name))


def allowed_code(subject: Subject) -> Iterator[Find]:
    """The compiled code names nothing that it was not told of."""
    program = subject.program
    own = {NUMBER, "xp", "range", *HELPER_FUNCTIONS, *XP_NAMES}
    own |= {node.name for node in program.tree.body if isinstance(node, ast.FunctionDef)}
    own |= {name for node in program.tree.body for name in stored_names(node)}
    for code in codes(subject.reward.code):
        for operation in set(code.co_code[::2]) - NEEDED:
            yield Find(f"the instruction {dis.opname[operation]}", program.source)
        for name in set(code.co_names) - own:
            yield Find("names what is not its own", name)
        subject.outcome.functions.update(code.co_names)


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


# --- the probe

ALLOWED = ("non-finite",)
"""What the probe may refuse in a program that the check accepted: only values can tell."""


def probed(subject: Subject) -> Iterator[Find]:
    """The probe finds nothing that the check should have found."""
    program, outcome = subject.program, subject.outcome
    rows = {name: subject.ground.rows[name].copy() for name in program.arguments}
    verdict = judge(program, subject.reward, rows)
    verdict.model_dump_json()
    for finding in verdict.findings:
        if finding.level == "error" and finding.code not in ALLOWED:
            if finding.code == "row-dependent" and magnifies(subject):
                outcome.warned.append("magnifies-rounding")
                continue
            yield Find(f"probe: {finding.code}: {alike(finding.message)}", finding.message)
        else:
            outcome.warned.append(finding.code)


# --- both namespaces that trainers use


def states(subject: Subject) -> dict[str, np.ndarray]:
    rows = subject.ground.rows
    picked = np.linspace(0, len(next(iter(rows.values()))) - 1, SMALL_ROWS).astype(int)
    return {name: rows[name][picked] for name in subject.program.arguments}


def agreeing(subject: Subject) -> Iterator[Find]:
    """Fresh columns, the same for NumPy and PyTorch and for a state alone, non-finite or not."""
    import torch

    values, reward = states(subject), subject.reward
    batch = columns(reward(**copies(values)))
    yield from pure(reward, values, batch)
    in_torch = subject.program.compile("torch")
    tensors = {name: torch.asarray(value.copy()) for name, value in values.items()}
    other = columns(in_torch(**tensors))
    for name, tensor in tensors.items():
        if not np.array_equal(tensor.numpy(), values[name]):
            yield Find("torch: changes its input", name)
    single = {name: tensor.to(torch.float32) for name, tensor in tensors.items()}
    rough = columns(in_torch(**single))
    for name, column in rough.items():
        if column.dtype != np.float32 or column.shape != (SMALL_ROWS,):
            yield Find("torch: a column in single precision", f"{name}: {column.dtype}")
    wrong = [*unlike("torch differs from numpy", batch, other)]
    for row in ALONE:
        alone = columns(reward(**{n: v[row : row + 1].copy() for n, v in values.items()}))
        wrong += unlike(
            "a row alone differs", {n: v[row : row + 1] for n, v in batch.items()}, alone
        )
    if wrong and (magnifies(subject) or [*unlike("", other, rough, ROUGHLY)]):
        subject.outcome.warned.append("magnifies-rounding")
        return
    subject.outcome.compared = True
    yield from wrong


def copies(values: Arrays) -> dict[str, np.ndarray]:
    return {name: value.copy() for name, value in values.items()}


def columns(result: tuple[Any, Mapping[str, Any]]) -> Columns:
    total, components = result
    return {"": np.asarray(total), **{k: np.asarray(v) for k, v in components.items()}}


def pure(reward: CompiledReward, values: Arrays, batch: Columns) -> Iterator[Find]:
    """Shapes, types, inputs left alone, and no memory shared with anything."""
    for name, column in batch.items():
        if column.shape != (SMALL_ROWS,) or column.dtype != np.float64:
            yield Find("a column of another shape or type", f"{name}: {column.dtype}{column.shape}")
    kept = {name: column.copy() for name, column in batch.items()}
    given = copies(values)
    result = columns(reward(**given))
    for name, value in given.items():
        if not np.array_equal(value, values[name]):
            yield Find("changes its input", name)
    if any(not np.array_equal(result[n], kept[n], equal_nan=True) for n in kept):
        yield Find("the same states give another result", "")
    for column in result.values():
        column.fill(math.nan)
        if any(np.shares_memory(column, value) for value in given.values()):
            yield Find("a result shares memory with an input", "")
    again = columns(reward(**copies(values)))
    if any(not np.array_equal(again[n], kept[n], equal_nan=True) for n in kept):
        yield Find("a changed result changes the next call's", "")


def unlike(
    what: str, these: Columns, those: Columns, tolerance: float = TOLERANCE
) -> Iterator[Find]:
    if these.keys() != those.keys():
        yield Find(f"{what}: components", f"{list(these)} and {list(those)}")
        return
    for name, column in these.items():
        with np.errstate(all="ignore"):
            near = np.isclose(column, those[name], rtol=tolerance, atol=tolerance, equal_nan=True)
        if not near.all():
            yield Find(what, f"{name}: {column[~near][:3]} and {those[name][~near][:3]}")


class Shaking(ast.NodeTransformer):
    """Lets every operator in a function give its value to the function ``SHAKEN``."""

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        return node  # A constant's; those in functions are visited below.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        for statement in node.body:
            for inner in ast.walk(statement):
                if not isinstance(inner, ast.stmt):
                    continue
                for name, value in ast.iter_fields(inner):
                    if isinstance(value, ast.expr):
                        setattr(inner, name, self.visit(value))
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            return node
        return ast.Call(ast.Name(SHAKEN, ast.Load()), [node], [])


def magnifies(subject: Subject) -> bool:
    """Whether a tiny change of the states, or of what is computed on the way, changes the result
    greatly: at a step, at a division by zero of either sign, or after a difference of nearly
    equal numbers.  What rounding does to such a program nobody can promise."""
    values = states(subject)
    base = columns(subject.reward(**copies(values)))
    rng = np.random.default_rng(0)

    def shaken(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [shaken(item) for item in value]
        if not isinstance(value, np.ndarray) or value.dtype != np.float64:
            return value
        noise = WOBBLE * rng.standard_normal((2, *value.shape))
        return value * (1 + noise[0]) + noise[1]

    def shaking(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: shaken(function(*map(shaken, given), **named))

    tree = Shaking().visit(deepcopy(subject.program.tree))
    reward = CompiledReward(ast.fix_missing_locations(tree), subject.program.sizes, "numpy")
    space, entry = reward.load(next(iter(values.values())))
    entry.__globals__[SHAKEN] = shaken
    for names in (space.xp, space.xp.linalg):
        for name, function in vars(names).items():
            if callable(function) and name != "asarray":
                setattr(names, name, shaking(function))
    for turn in range(4):
        moved = {name: shaken(value) for name, value in values.items()}
        for name, column in columns(reward(**(moved if turn % 2 else values))).items():
            with np.errstate(all="ignore"):
                scale = np.maximum(np.abs(base[name]), 1.0)
                change = np.abs(column - base[name]) / scale
            same = np.isclose(column, base[name], rtol=0, atol=0, equal_nan=True)
            if (~same & ~(change <= SHARPENED * WOBBLE)).any():
                return True
    return False
