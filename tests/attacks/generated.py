"""Attacks that are too long or too odd for a file: each a function of nothing that gives the text.

A function's name is the attack's, its first line of documentation what is expected, written as in
the files of ``language``.
"""

import itertools
import string
from collections.abc import Callable

ENTRY = "def compute_reward(pitch):\n"
RESULT = "    return pitch, {'p': pitch}\n"


def names(count: int) -> list[str]:
    """Short names: two letters, then three, each beginning with q, which no keyword does."""
    letters = string.ascii_lowercase
    tails = itertools.chain(letters, map("".join, itertools.product(letters, repeat=2)))
    tails = itertools.chain(tails, map("".join, itertools.product(letters, repeat=3)))
    return ["q" + tail for tail in itertools.islice(tails, count)]


def text_ten_megabytes() -> str:
    """refused: line 1, column 1: the program is longer than 64,000 characters"""
    return ENTRY + "    p = pitch\n" * 714_286 + RESULT


def text_ten_megabytes_in_a_line() -> str:
    """refused: line 1, column 1: the program is longer than 64,000 characters"""
    return ENTRY + "    p = " + "pitch + " * 1_250_000 + "pitch\n" + RESULT


def text_null_byte() -> str:
    """refused: line 2, column 10: the character U+0000 is not text"""
    return ENTRY + "    p = p\0itch\n" + RESULT


def text_null_byte_in_comment() -> str:
    """refused: line 1, column 3: the character U+0000 is not text"""
    return "# \0import os\n" + ENTRY + RESULT


def text_byte_order_mark() -> str:
    """harmless: a byte order mark is no part of the text"""
    return "\ufeff" + ENTRY + RESULT


def text_byte_order_mark_twice() -> str:
    """refused: line 1,"""
    return "\ufeff\ufeff" + ENTRY + RESULT


def text_sixteen_bits_as_eight() -> str:
    """refused: line 1, column 4: the character U+0000 is not text"""
    return (ENTRY + RESULT).encode("utf-16").decode("latin-1")


def text_surrogate() -> str:
    """refused: line 1, column 3: the character U+DCFF is not text"""
    return "# \udcff\n" + ENTRY + RESULT


def text_encoding_in_second_line() -> str:
    """refused: line 2, column 25: the comment declares the encoding 'rot13'"""
    return "# A reward.\n# vim: set fileencoding=rot13 :\n" + ENTRY + RESULT


def text_carriage_returns() -> str:
    """refused: line 2, column 1: imports are not allowed"""
    return "# A comment ends here\rimport os\r" + ENTRY.replace("\n", "\r") + RESULT


def text_mixed_line_ends() -> str:
    """harmless: every way to end a line ends it"""
    return ENTRY[:-1] + "\r\n    p = pitch\r" + RESULT


def text_form_feed_before_import() -> str:
    """refused: line 1, column 2: imports are not allowed"""
    return "\x0cimport os\n" + ENTRY + RESULT


def text_vertical_tab() -> str:
    """refused: line 1, column 11: the character U+000B is not text"""
    return "# A reward\x0bimport os\n" + ENTRY + RESULT


def text_next_line_character() -> str:
    """refused: line 1, column 11: the character U+0085 is not text"""
    return "# A reward\x85import os\n" + ENTRY + RESULT


def text_line_separator() -> str:
    """refused: line 1, column 11: the character U+2028 is not text"""
    return "# A reward\u2028import os\n" + ENTRY + RESULT


def text_terminal_escape() -> str:
    """refused: line 1, column 3: the character U+001B is not text"""
    return "# \x1b]0;owned\x07\x1b[2J\n" + ENTRY + RESULT


def text_backspaces() -> str:
    """refused: line 1, column 10: the character U+0008 is not text"""
    return "import os" + "\x08" * 9 + "# A reward\n" + ENTRY + RESULT


def text_parentheses() -> str:
    """refused: line 2,"""
    return ENTRY + "    p = " + "(" * 10_000 + "pitch" + ")" * 10_000 + "\n" + RESULT


def text_unclosed_braces() -> str:
    """refused: line 2,"""
    return ENTRY + "    p =" + "{**" * 15_000 + "\n"


def text_unary_minus() -> str:
    """refused: line 1, column 1: the program is nested too deeply"""
    return ENTRY + "    p = " + "-" * 60_000 + "pitch\n" + RESULT


def text_conditional_chain() -> str:
    """refused: line 1, column 1: the program is nested too deeply"""
    return ENTRY + "    p = " + "1 if 1 else " * 5_000 + "pitch\n" + RESULT


def text_elif_chain() -> str:
    """refused: line 195, column 9: the program is nested too deeply"""
    return ENTRY + "    if 0:\n        p = 1\n" + "    elif 0:\n        p = 1\n" * 2_000 + RESULT


def text_attribute_chain() -> str:
    """refused: line 1, column 1: the program is nested too deeply"""
    return ENTRY + "    p = xp" + ".linalg" * 8_000 + "\n" + RESULT


def text_indentation() -> str:
    """refused: line 101,"""
    return ENTRY + "".join(" " * level + "if 1:\n" for level in range(1, 300)) + RESULT


def text_one_line_of_mistakes() -> str:
    """refused: line 2, column 5: the name 'q' is unknown"""
    return ENTRY + "    " + "q;" * 6_000 + "\n"


def text_continuations() -> str:
    """harmless: a line may be continued as often as it likes"""
    return ENTRY + "    p = " + "\\\n" * 30_000 + "pitch\n" + RESULT


def text_spaces() -> str:
    """harmless: spaces at the end of a line are no part of the program"""
    return ENTRY + "    p = pitch" + " " * 60_000 + "\n" + RESULT


def text_comment() -> str:
    """harmless: a long comment is a comment"""
    return "#" * 60_000 + "\n" + ENTRY + RESULT


def text_tabs_in_docstring() -> str:
    """harmless: a docstring is text"""
    return ENTRY + '    """Tabs.\n' + "\t" * 60_000 + '\n    """\n' + RESULT


def text_long_name() -> str:
    """refused: line 2, column 9: the name 'qqqqqqqqqqqq"""
    return ENTRY + "    p = " + "q" * 60_000 + "\n" + RESULT


def text_long_component() -> str:
    """refused: line 2, column 20: the component's name is longer than 60 characters"""
    return ENTRY + "    return pitch, {'" + "q" * 60_000 + "': pitch}\n"


def endless_tuple_in_loop() -> str:
    """refused: line 3, column 7994: one call is more than 100,000 expressions"""
    items = "1," * 12_000
    return ENTRY + "    for i in range(999):\n        q = (" + items + ")\n" + RESULT


def endless_dict_in_loop() -> str:
    """refused: line 3, column 13: there are more than 50 components"""
    items = ", ".join(f"'{name}': 1" for name in names(4_000))
    return ENTRY + "    for i in range(999):\n        q = {" + items + "}\n" + RESULT


def endless_arrays_of_constants() -> str:
    """refused: line 8, column 13: the arrays of one call have more than 16,384 entries per row"""
    table = "TABLE = (" + "1," * 4_096 + ")\n"
    loop = "    for i in range(999):\n" + "        q = xp.asarray(TABLE)\n" * 8
    return table + ENTRY + loop + RESULT


def endless_default_arguments() -> str:
    """refused: line 5, column 13: one call is more than 100,000 expressions"""
    helper = "def f(" + ", ".join(f"{name}=1" for name in names(4_000)) + "):\n    return 1\n"
    return helper + ENTRY + "    for i in range(999):\n        q = f()\n" + RESULT


def endless_refused_statement_in_loop() -> str:
    """refused: line 3, column 9: one call is more than 100,000 expressions"""
    body = "            q=1\n" * 3_500
    return (
        ENTRY
        + "    for i in range(999):\n        try:\n"
        + body
        + "        finally: q=1\n"
        + RESULT
    )


def endless_names_to_compare() -> str:
    """refused: line 2602, column 7: the name 'xqa' is unknown"""
    known = "".join(f"    {name}=1\n" for name in names(2_600))
    return ENTRY + known + "".join(f"    q=x{name}\n" for name in names(2_900)) + RESULT


def endless_branches_of_many_names() -> str:
    """refused: line 2, column 7: the name 'nope' is unknown"""
    known = "".join(f"    {name}=1\n" for name in names(1_000))
    return ENTRY + "    u=nope\n" + known + "    if u:q=1\n" * 1_500 + RESULT


def endless_parameters() -> str:
    """harmless: thousands of parameters and assignments are read once each"""
    helper = "def f(" + ",".join(names(4_000)) + "):\n" + " q=1\n" * 4_000 + " return 1\n"
    return helper + ENTRY + RESULT


def endless_functions() -> str:
    """refused: line 1, column 10: the value of this line is not used"""
    return "".join(f"def {name}():0\n" for name in names(4_000)) + ENTRY + RESULT


def memory_constants_of_constants() -> str:
    """refused: line 101, column 1: there are more than 100 constants"""
    known = [name.upper() for name in names(1_500)]
    total = "    t = 0\n" + "".join(f"    t=t+{name}\n" for name in known)
    kept = "    u = 0\n    for i in range(900):\n        u = (u, t + i, t + i)\n"
    return "".join(f"{name}=1\n" for name in known) + ENTRY + total + kept + RESULT


def memory_wide_arrays() -> str:
    """refused: line 6, column 9: the arrays of one call have more than 16,384 entries per row"""
    table = "TABLE = xp.asarray((" + "1," * 4_096 + "))\n"
    wide = "    a = pitch[:, None] * TABLE\n    b = a + 1.0\n    c = b + 1.0\n    d = c + 1.0\n"
    return table + ENTRY + wide + RESULT


def memory_widest_arrays() -> str:
    """harmless: three arrays of 4,096 columns are a hundred megabytes, and no more are allowed"""
    table = "TABLE = xp.asarray((" + "1," * 4_096 + "))\n"
    wide = "    a = pitch[:, None] * TABLE\n    b = a + 1.0\n"
    return table + ENTRY + wide + RESULT


def memory_wide_helper() -> str:
    """refused: line 3, column 9: the arrays of one call have more than 16,384 entries per row"""
    table = "TABLE = xp.asarray((" + "1," * 4_096 + "))\n"
    return table + ENTRY + "    a = tolerance(pitch[:, None] * TABLE, margin=1.0)\n" + RESULT


def memory_components() -> str:
    """refused: line 2, column 19: there are more than 50 components"""
    items = ", ".join(f"'{name}': pitch" for name in names(3_000))
    return ENTRY + "    return pitch, {" + items + "}\n"


def memory_parse_tree() -> str:
    """refused: line 1, column 1: the program has more than 25,000 parts"""
    return ENTRY + "    p = pitch" + "\n    p=-p" * 6_900 + "\n" + RESULT


def numbers_hexadecimal_literal() -> str:
    """refused: line 2, column 9: the number is larger than 1e9"""
    return ENTRY + "    n = 0x" + "f" * 60_000 + "\n" + RESULT


def numbers_decimal_literal() -> str:
    """refused: line 2,"""
    return ENTRY + "    n = " + "9" * 60_000 + "\n" + RESULT


def numbers_float_literal() -> str:
    """harmless: a float of many digits is a float"""
    return ENTRY + "    n = 0." + "9" * 60_000 + "\n" + RESULT


FAMILIES = ("endless_", "memory_", "numbers_", "text_")
GENERATED: dict[str, Callable[[], str]] = {
    name: function for name, function in list(globals().items()) if name.startswith(FAMILIES)
}
"""Attacks by name, which begins with the family's."""
