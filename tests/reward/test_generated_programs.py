"""Programs drawn from the grammar pass the check, and keep the contract wherever they run."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.reward import check, parse
from tests.reward.programs import VARIABLES, assert_contract

COLUMNS = [name for name, size in VARIABLES.items() if size is None]
WIDE = [name for name, size in VARIABLES.items() if size == 3]

number = st.floats(0.1, 3.0).map(lambda value: f"{value:.3f}") | st.sampled_from(["SCALE", "xp.pi"])
column_leaf = st.sampled_from(COLUMNS) | st.builds("prev_{}".format, st.sampled_from(COLUMNS))
wide_leaf = st.sampled_from(WIDE)


def either(*templates: str):
    return st.sampled_from(templates)


def filled(template: st.SearchStrategy[str], **parts: st.SearchStrategy[str]):
    return st.tuples(template, st.fixed_dictionaries(parts)).map(lambda t: t[0].format(**t[1]))


condition = filled(
    either("({c} > {n})", "(({c} < {n}) & ~({d} < -{n}))", "xp.any({w} > {n}, axis=-1)"),
    c=column_leaf, d=column_leaf, w=wide_leaf, n=number,
)  # fmt: skip
wide = st.recursive(
    wide_leaf,
    lambda inner: filled(
        either(
            "({w} - {v})", "xp.tanh({w})", "({w} * {n})", "xp.clip({w}, -{n}, {n})",
            "({w} + {c}[:, None])", "xp.minimum({w}, {v})", "wrap_angle({w})",
            "({w} - xp.asarray((0.1, {n}, -0.2)))", "xp.where({c}[:, None] > 0, {w}, {n})",
            "xp.linalg.cross({w}, xp.tanh({v}))",
        ),
        w=inner, v=inner, n=number, c=column_leaf,
    ),
    max_leaves=3,
)  # fmt: skip
column = st.recursive(
    column_leaf | filled(
        either(
            "xp.sum({w}, axis=-1)", "xp.max({w} ** 2, axis=1)", "{w}[:, 1]", "{w}[..., -1]",
            "xp.linalg.vector_norm({w}, axis=-1)", "xp.mean(xp.abs({w}), -1)", "joined({w})",
        ),
        w=wide,
    ),
    lambda inner: filled(
        either(
            "({c} + {d})", "({c} - {d})", "({c} * xp.tanh({d}))", "({c} / (1.0 + xp.abs({d})))",
            "xp.exp(-xp.abs({c}))", "-{c}", "xp.sqrt(xp.abs({c}) + {n})", "{n}",
            "xp.where({q}, {c}, {d})", "({q} + {c})", "({q} * {n})", "xp.maximum({c}, {n})",
            "tolerance({c}, bounds=(-{n}, {n}), margin={n})", "smooth_step({c}, -1.0, {n})",
            "bell({c}, width={n})", "tolerance({c}, margin=1, sigmoid='long_tail')",
            "xp.sum(xp.stack([{c}, {d}, {n}], axis=-1) ** 2, axis=-1)",
        ),
        c=inner, d=inner, n=number, q=condition,
    ),
    max_leaves=5,
)  # fmt: skip

HEADER = """SCALE = 0.7
ON = 1

def bell(x, width=1.0):
    return xp.exp(-((x / width) ** 2))

def joined(w):
    total = 0.0
    for i in range(0, 3, 2):
        total += w[:, i]
    return total

"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program of one to three components, put together in various ways."""
    parts = draw(st.lists(column, min_size=1, max_size=3))
    lines = [f"    part_{i} = {part}" for i, part in enumerate(parts)]
    lines.append(f"    total = {draw(number)}")
    for i in range(len(parts)):
        statement = draw(
            either(
                "total += part_{i}",
                "total -= part_{i} * 0.5",
                "total = total * xp.tanh(part_{i})",
                "total = (part_{i} if ON else 0.0) + total",
            )
        )
        lines.append("    " + statement.format(i=i))
    components = ", ".join(f'"part_{i}": part_{i}' for i in range(len(parts)))
    used = [n for v in VARIABLES for n in (v, f"prev_{v}") if any(n in line for line in lines)]
    arguments = ", ".join(used or ["action"])
    body = "\n".join(lines)
    return f"{HEADER}def compute_reward({arguments}):\n{body}\n    return total, {{{components}}}\n"


@settings(max_examples=30)
@given(programs(), st.integers(0, 2**32 - 1))
def test_generated_programs_keep_the_contract(source: str, seed: int):
    assert check(source, VARIABLES) == []
    assert_contract(parse(source, VARIABLES), seed)
