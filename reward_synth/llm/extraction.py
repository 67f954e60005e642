"""The reward program in a completion: code out of prose.

The rules, first match first:

1. The last fenced block that defines ``compute_reward``: models draft first and conclude last.
   Earlier blocks come before it if they define, at top level, a name that it uses and does not
   define itself (a helper or a constant explained on its own).
2. Without such a block, code in the prose itself: the lines around ``def compute_reward``.
3. Without that, the last fenced block of Python that defines any function, so that the gate
   can say what is wrong with it.
"""

import re
import textwrap
from dataclasses import dataclass

FENCE = re.compile(r"^\s*(?P<marks>`{3,}|~{3,})\s*(?P<language>[\w+.-]*)(?P<rest>.*)$")
PROGRAM = re.compile(r"^def\s+compute_reward\b", re.MULTILINE)
METHOD = re.compile(r"^\s*def\s+compute_reward\b", re.MULTILINE)
"""In a fenced block the function may also be a method of a class."""
DEFINITION = re.compile(r"^(?:def\s+(\w+)|(\w+)\s*(?::[^=\n]+)?=(?!=))", re.MULTILINE)
CODE_LINE = re.compile(
    r"^(?:\s+\S.*|\s*|#.*|@.*|[\])}].*|def\s.*|import\s.*|from\s+\S+\s+import\s.*"
    r"|[A-Za-z_]\w*\s*(?::[^=]+)?=.*)$"
)
PYTHON = ("", "python", "py", "python3")


@dataclass(frozen=True)
class _Block:
    language: str
    code: str


def extract_program(text: str) -> str:
    """The source of the reward program in ``text``, ending in a newline; "" if there is none.

    Nothing is translated or corrected here: these are the lines that the model wrote.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Some servers leave a reasoning model's thoughts in; drafts in them are not the answer.
    answer = text.rpartition("</think>")[2]
    blocks = [block for block in _fenced(answer) if block.language in PYTHON]
    programs = [k for k, block in enumerate(blocks) if METHOD.search(block.code)]
    if programs:
        code = _with_what_it_uses(blocks, programs[-1])
    elif PROGRAM.search(answer):
        code = _around_definition(answer)
    else:
        functions = [b.code for b in blocks if re.search(r"^\s*def\s", b.code, re.MULTILINE)]
        code = functions[-1] if functions else ""
    code = code.strip("\n")
    return code + "\n" if code.strip() else ""


def extract_json(text: str) -> str:
    """The last fenced block of JSON in ``text``; of an answer without one the text itself."""
    answer = text.replace("\r\n", "\n").replace("\r", "\n").rpartition("</think>")[2]
    blocks = [block for block in _fenced(answer) if block.language == "json"]
    return blocks[-1].code if blocks else answer.strip()


def _fenced(text: str) -> list[_Block]:
    """Fenced blocks as CommonMark defines them: closed by a fence at least as long, of the same
    character and with nothing behind it, or by the end of the text."""
    blocks: list[_Block] = []
    inside: list[str] | None = None
    marks = language = ""
    for line in text.split("\n"):
        fence = FENCE.match(line)
        if inside is None:
            if fence:
                marks, language, inside = fence["marks"], fence["language"].lower(), []
        elif fence and fence["marks"].startswith(marks) and not (fence["language"] + fence["rest"]):
            blocks.append(_Block(language, textwrap.dedent("\n".join(inside))))
            inside = None
        else:
            inside.append(line)
    if inside is not None:
        blocks.append(_Block(language, textwrap.dedent("\n".join(inside))))
    return blocks


def _with_what_it_uses(blocks: list[_Block], program: int) -> str:
    code = blocks[program].code
    for block in reversed(blocks[:program]):
        if METHOD.search(block.code):
            continue  # an earlier draft
        words = set(re.findall(r"\w+", code)) - _defined(code)
        if _defined(block.code) & words:
            code = block.code.rstrip("\n") + "\n\n\n" + code.lstrip("\n")
    return code


def _defined(code: str) -> set[str]:
    return {function or name for function, name in DEFINITION.findall(code)}


def _around_definition(text: str) -> str:
    """The last unfenced ``def compute_reward`` with the lines of code directly around it."""
    lines = text.split("\n")
    start = max(k for k, line in enumerate(lines) if PROGRAM.match(line))
    end = start + 1
    while start > 0 and CODE_LINE.match(lines[start - 1]):
        start -= 1
    while end < len(lines) and CODE_LINE.match(lines[end]):
        end += 1
    return "\n".join(lines[start:end])
