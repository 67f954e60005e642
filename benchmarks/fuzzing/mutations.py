"""Changes to a reward program: to its syntax tree, and to its text."""

import ast
import re
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy

from benchmarks.fuzzing.expressions import Choices
from benchmarks.fuzzing.oddities import (
    ATTRIBUTES,
    EXPRESSIONS,
    EXTREMES,
    INDICES,
    KEYWORDS,
    LOOK_ALIKES,
    MODULE_STATEMENTS,
    NAMES,
    PIECES,
    STATEMENTS,
    WRAPPINGS,
)
from reward_synth.reward.vocabulary import HELPER_FUNCTIONS, XP_FUNCTIONS

Mutation = Callable[[str, str, Choices], str]

OPERATORS: tuple[type[ast.operator], ...] = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr),
    *(ast.BitXor, ast.LShift, ast.RShift, ast.MatMult),
)
UNARY: tuple[type[ast.unaryop], ...] = (ast.USub, ast.UAdd, ast.Not, ast.Invert)
COMPARISONS: tuple[type[ast.cmpop], ...] = (
    *(ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot),
)
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def mutate(source: str, other: str, choices: Choices) -> str:
    """``source``, changed once; a piece of the program ``other`` may get into it."""
    if choices.chance(30):
        return choices.pick(TEXT_MUTATIONS)(source, other, choices)
    return choices.pick(TREE_MUTATIONS)(source, other, choices)


# --- the tree

Change = Callable[[ast.Module, ast.Module, Choices], None]


def on_trees(change: Change) -> Mutation:
    """A mutation of text by way of its tree; text that is no Python, or empty, stays as it is."""

    def mutation(source: str, other: str, choices: Choices) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree, donor = ast.parse(source), ast.parse(other)
            change(tree, donor, choices)
            return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        except (SyntaxError, ValueError, RecursionError, MemoryError, IndexError):
            return source

    return mutation


def nodes(tree: ast.AST, *kinds: type[ast.AST]) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def parsed(text: str) -> ast.expr:
    """The expression; raises SyntaxError where the text is none."""
    return ast.parse(text, mode="eval").body


def places(tree: ast.AST) -> list[tuple[ast.AST, str, int | None]]:
    """Where expressions that are read stand: parent, field, and position in a list."""
    found: list[tuple[ast.AST, str, int | None]] = []
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and is_read(value):
                found.append((node, name, None))
            elif isinstance(value, list):
                found += [
                    (node, name, i)
                    for i, item in enumerate(value)
                    if isinstance(item, ast.expr) and is_read(item)
                ]
    return found


def is_read(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def at(place: tuple[ast.AST, str, int | None]) -> ast.expr:
    parent, name, position = place
    value = getattr(parent, name)
    return value if position is None else value[position]


def put(place: tuple[ast.AST, str, int | None], node: ast.expr) -> None:
    parent, name, position = place
    if position is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[position] = node


def replace_expression(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    """By another one of this program, or of the other."""
    taken = at(choices.pick(places(choices.pick((tree, donor)))))
    put(choices.pick(places(tree)), deepcopy(taken))


def replace_by_odd(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    put(choices.pick(places(tree)), parsed(choices.pick(EXPRESSIONS)))


def wrap(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    place = choices.pick(places(tree))
    put(place, parsed(choices.pick(WRAPPINGS).format(ast.unparse(at(place)))))


def change_literal(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    found = [place for place in places(tree) if isinstance(at(place), ast.Constant)]
    if found:
        put(choices.pick(found), ast.Constant(choices.pick(EXTREMES)))  # type: ignore[arg-type]


def change_operator(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    node = choices.pick(nodes(tree, ast.BinOp, ast.Compare, ast.UnaryOp, ast.AugAssign) or [tree])
    if isinstance(node, ast.BinOp | ast.AugAssign):
        node.op = choices.pick(OPERATORS)()
    elif isinstance(node, ast.UnaryOp):
        node.op = choices.pick(UNARY)()
    elif isinstance(node, ast.Compare) and choices.chance(15):
        node.ops.append(choices.pick(COMPARISONS)())
        node.comparators.append(deepcopy(node.left))
    elif isinstance(node, ast.Compare):
        node.ops[0] = choices.pick(COMPARISONS)()


def swap_operands(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    node = choices.pick(nodes(tree, ast.BinOp, ast.Compare) or [tree])
    if isinstance(node, ast.BinOp):
        node.left, node.right = node.right, node.left
    elif isinstance(node, ast.Compare):
        node.left, node.comparators[0] = node.comparators[0], node.left


def change_name(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    node = choices.pick(nodes(tree, ast.Name, ast.arg, ast.Attribute, ast.FunctionDef))
    known = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
    name = choices.pick(known if known and choices.chance(70) else NAMES)
    if isinstance(node, ast.Name):
        node.id = name
    elif isinstance(node, ast.arg):
        node.arg = name
    elif isinstance(node, ast.Attribute):
        node.attr = choices.pick(ATTRIBUTES)
    elif isinstance(node, ast.FunctionDef):
        node.name = name


def change_call(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    """Its function, or the number, order or names of its arguments."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if not calls:
        return
    call = choices.pick(calls)
    kind = choices.below(7)
    if kind == 0 and call.args:
        call.args.pop(choices.below(len(call.args)))
    elif kind == 1:
        call.args.reverse()
    elif kind == 2:
        call.args.append(deepcopy(at(choices.pick(places(tree)))))
    elif kind == 3:
        value = parsed(
            choices.pick(("-1", "1", "0", "True", "None", "0.5", "2", "(0, 1)", "xp.inf"))
        )
        call.keywords.append(ast.keyword(choices.pick(KEYWORDS), value))
    elif kind == 4 and call.keywords:
        call.keywords.pop(choices.below(len(call.keywords)))
    elif kind == 5 and call.keywords:
        choices.pick(call.keywords).arg = choices.pick(KEYWORDS)
    else:
        helpers = (*HELPER_FUNCTIONS, "abs", "max", "range", "bell0", "near1")
        path = choices.pick((choices.pick(helpers), "xp." + choices.pick(list(XP_FUNCTIONS))))
        call.func = parsed(path)


def change_index(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    index = ast.parse(f"x[{choices.pick(INDICES)}]", mode="eval").body
    assert isinstance(index, ast.Subscript)
    if found:
        choices.pick(found).slice = index.slice
    else:
        place = choices.pick(places(tree))
        put(place, ast.Subscript(at(place), index.slice, ast.Load()))


def blocks(tree: ast.AST) -> list[list[ast.stmt]]:
    bodies = [getattr(node, name, None) for node in ast.walk(tree) for name in ("body", "orelse")]
    return [body for body in bodies if isinstance(body, list) and body]


def change_statements(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    body = choices.pick(blocks(tree))
    here = choices.below(len(body))
    kind = choices.below(6)
    if kind == 0:
        del body[here]
    elif kind == 1:
        body.insert(here, deepcopy(body[choices.below(len(body))]))
    elif kind == 2:
        there = choices.below(len(body))
        body[here], body[there] = body[there], body[here]
    elif kind == 3:
        taken = choices.pick(choices.pick(blocks(donor)))
        body.insert(here, deepcopy(taken))
    elif kind == 4:
        loop = ast.parse(
            f"for {choices.pick('ijklx')} in range({choices.pick((2, 3, 50, 900))}): pass"
        )
        assert isinstance(loop.body[0], ast.For)
        loop.body[0].body = [body[here]]
        body[here] = loop.body[0]
    else:
        branch = ast.parse(f"if {choices.pick(('1', '0', 'A0', 'x', 'action', 'not 1'))}: pass")
        assert isinstance(branch.body[0], ast.If)
        branch.body[0].body = [body[here]]
        body[here] = branch.body[0]
    if not body:
        body.append(ast.Pass())


def add_statement(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    """One that the language has not, mostly."""
    body = choices.pick(blocks(tree))
    odd = MODULE_STATEMENTS if body is tree.body else STATEMENTS
    here = choices.below(len(body) + 1)
    body[here:here] = ast.parse(choices.pick(odd)).body


def change_function(tree: ast.Module, donor: ast.Module, choices: Choices) -> None:
    """Its parameters; or let it call itself."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    if not functions:
        return
    function = choices.pick(functions)
    arguments = function.args
    kind = choices.below(7)
    if kind == 0 and arguments.args:
        arguments.args.pop(choices.below(len(arguments.args)))
        arguments.defaults = arguments.defaults[: len(arguments.args)]
    elif kind == 1:
        arguments.args.insert(0, ast.arg(choices.pick(NAMES)))
    elif kind == 2 and arguments.args:
        arguments.defaults = [deepcopy(at(choices.pick(places(tree))))]
    elif kind == 3:
        arguments.args.reverse()
    elif kind == 4:
        arguments.kwonlyargs.append(ast.arg("only"))
        arguments.kw_defaults.append(None)
    elif kind == 5:
        names = ", ".join(argument.arg for argument in arguments.args)
        function.body[0:0] = ast.parse(f"again = {function.name}({names})").body
    else:
        arguments.args.append(ast.arg(choices.pick(("prev_action", "action", "x", "nope"))))
        if arguments.defaults:
            arguments.defaults.append(ast.Constant(1.0))


# --- the text


def cut(source: str, other: str, choices: Choices) -> str:
    if choices.chance(2):
        return choices.pick(("", "\n \t\n", "# Nothing\n", source[:1]))
    start = choices.below(len(source) + 1)
    return source[:start] + source[start + choices.below(40) :]


def splice(source: str, other: str, choices: Choices) -> str:
    """The beginning of this one and the end of the other."""
    return source[: choices.below(len(source) + 1)] + other[choices.below(len(other) + 1) :]


def insert(source: str, other: str, choices: Choices) -> str:
    place = choices.below(len(source) + 1)
    return source[:place] + choices.pick(PIECES) + source[place:]


def look_alike(source: str, other: str, choices: Choices) -> str:
    letter = choices.pick(list(LOOK_ALIKES))
    found = [i for i, character in enumerate(source) if character == letter]
    if not found:
        return source
    place = choices.pick(found)
    return source[:place] + LOOK_ALIKES[letter] + source[place + 1 :]


def change_tokens(source: str, other: str, choices: Choices) -> str:
    tokens = TOKEN.findall(source)
    if not tokens:
        return source
    here, there = choices.below(len(tokens)), choices.below(len(tokens))
    kind = choices.below(4)
    if kind == 0:
        del tokens[here]
    elif kind == 1:
        tokens[here], tokens[there] = tokens[there], tokens[here]
    elif kind == 2:
        tokens[here:here] = tokens[there : there + 8]
    else:
        tokens[here] = choices.pick((*NAMES, *PIECES))
    return "".join(tokens)


def change_lines(source: str, other: str, choices: Choices) -> str:
    lines = source.splitlines(keepends=True)
    if not lines:
        return source
    here = choices.below(len(lines))
    kind = choices.below(7)
    if kind == 0:
        lines[here] = " " * choices.pick((1, 4, 8)) + lines[here]
    elif kind == 1:
        lines[here] = lines[here].lstrip()
    elif kind == 2:
        lines[here] = lines[here].replace("    ", "\t", 1)
    elif kind == 3:
        lines[here] *= choices.pick((2, 30, 120) if choices.chance(95) else (500, 4000))
    elif kind == 4:
        return source.replace("\n", choices.pick(("\r\n", "\r", "\n\n", " \\\n")))
    elif kind == 5:
        return f"{'`' * 3}python\n{source}{'`' * 3}\n"
    else:
        return choices.pick(("# coding: latin-1\n", "\n# vim: set fileencoding=rot13 :\n")) + source
    return "".join(lines)


def deepen(source: str, other: str, choices: Choices) -> str:
    """More of the same: what is nested, called or repeated beyond a limit."""
    count = 400 if choices.chance(5) else choices.pick((3, 12, 25, 60, 120))
    kind = choices.below(7)
    if kind == 0:
        nested = "x" if choices.chance(50) else "action[:, 0]"
        for _ in range(count):
            nested = f"({nested} + 1.0)"
        return source.replace("    return ", f"    deep = {nested}\n    return ", 1)
    if kind == 1:
        chain = "".join(
            f"def d{i + 1}(x):\n    return d{i}(x) + d{i}(x)\n" for i in range(count // 8)
        )
        chain = "def d0(x):\n    return x\n" + chain
        return chain + source.replace("return ", f"e = d{count // 8}(1.0)\n    return ", 1)
    if kind == 2:
        return "".join(f"Q{i} = {i}\n" for i in range(count)) + source
    if kind == 3:
        entries = ", ".join(f'"c{i}": 1.0' for i in range(count))
        return source.replace("{", "{" + entries + ", ", 1)
    if kind == 4:
        loops = "".join("    " * (i + 1) + f"for i{i} in range(1):\n" for i in range(count))
        loops += "    " * (count + 1) + "pass\n"
        return source.replace("    return ", loops + "    return ", 1)
    if kind == 5:
        numbers = "1.0, " * count * 11
        return source.replace(
            "return ", f"t = action * xp.sum(xp.asarray(({numbers})), -1)\n    return ", 1
        )
    return source.replace(
        "return ", "w = action[:, :, None] * xp.asarray((" + "1, " * count + "))\n    return ", 1
    )


TREE_MUTATIONS: Sequence[Mutation] = [
    on_trees(change)
    for change in (
        *(replace_expression, replace_expression, wrap, wrap, change_literal, change_literal),
        *(change_operator, change_operator, swap_operands, change_name, change_call, change_call),
        *(change_index, change_statements, change_statements, add_statement, change_function),
        replace_by_odd,
    )
]
TEXT_MUTATIONS: Sequence[Mutation] = (
    *(cut, splice, insert, insert, look_alike, change_tokens, change_tokens, change_lines, deepen),
)
