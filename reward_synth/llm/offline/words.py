"""Words: tokens and stems of English, and the general vocabulary of robot tasks.

Nothing here knows a particular task.  The vocabulary is what anybody describing a robot's
motion uses: purposes (run, flip, reach, balance, …), directions, and what a quantity is called.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COMPOUNDS = {
    "backflip": "back flip",
    "backflips": "back flips",
    "frontflip": "front flip",
    "frontflips": "front flips",
    "upside": "upside",
    "swingup": "swing up",
    "somersault": "flip",
    "somersaults": "flips",
    "anticlockwise": "counterclockwise",
    "counter-clockwise": "counterclockwise",
    "anti-clockwise": "counterclockwise",
    "meter": "metre",
    "meters": "metres",
    "center": "centre",
    "centered": "centred",
    "nose-up": "nose up",
    "nose-down": "nose down",
}
"""Spellings and compounds, replaced before stemming."""

IRREGULAR = {
    "ran": "run",
    "stood": "stand",
    "spun": "spin",
    "swung": "swing",
    "fell": "fall",
    "fallen": "fall",
    "held": "hold",
    "kept": "keep",
    "velocities": "velocity",
    "forwards": "forward",
    "backwards": "backward",
    "upwards": "upward",
    "downwards": "downward",
    "sideways": "sideways",
    "always": "always",
    "lying": "lie",
    "axis": "axis",
    "feet": "foot",
    "faster": "fast",
    "fastest": "fast",
    "quickly": "quick",
    "higher": "high",
    "highest": "high",
    "closer": "close",
    "nearer": "near",
    "lower": "low",
    "lowest": "low",
    "farther": "far",
    "further": "far",
    "something": "something",
    "as": "as",
    "is": "is",
    "its": "its",
    "this": "this",
}


def stem(word: str) -> str:
    """A lower-case word without its English inflection: running, runs → run."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("ches", "shes", "xes", "sses")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for suffix in ("ing", "ed"):
        root = word.removesuffix(suffix)
        if root != word and len(root) >= 3 and re.search("[aeiouy]", root):
            word = root
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    for suffix in ("ation", "ational"):
        if word.endswith(suffix) and len(word) > len(suffix) + 2:
            word = word.removesuffix(suffix) + "at"
    if word.endswith("ly") and len(word) > 4:
        word = word[:-2]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def tokens(text: str) -> tuple[str, ...]:
    """Stems of a text's words in order; ``snake_case`` names fall into their words."""
    words: list[str] = re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower().replace("_", " "))
    plain: list[str] = []
    for word in words:
        for part in COMPOUNDS.get(word, word).replace("-", " ").split():
            plain.extend(COMPOUNDS.get(part, part).split())
    return tuple(stem(word) for word in plain)


def stems(words: str) -> frozenset[str]:
    """The set of stems of a space-separated list of words."""
    return frozenset(tokens(words))


def weighted(lines: Mapping[float, str]) -> dict[str, float]:
    """Stems with their weights, from ``{weight: "word word …"}``."""
    return {token: weight for weight, words in lines.items() for token in tokens(words)}


@dataclass(frozen=True)
class Purpose:
    """One kind of thing that a person may want of a robot."""

    name: str
    calls: Mapping[str, float]
    """Stems of a description that ask for it, with their weights."""
    quantities: Mapping[str, float]
    """Kinds of quantity that can measure it, with how well they do."""
    shows: frozenset[str]
    """Stems in a variable's name or documentation that say that it measures this."""
    requires: frozenset[str] = frozenset()
    """At least one of these must be there, if any is given."""
    axis: str | None = None
    """Axis meant when the description names no direction."""


PURPOSES = (
    Purpose(
        "travel",
        weighted(
            {
                1.5: "run walk gallop sprint trot jog crawl swim locomotion travel drive march",
                1.0: "forward backward fast quick speed velocity advance hop sideways rush",
                0.6: "move far ahead progress go rapid swift race dash along",
            }
        ),
        {"speed": 1.0},
        stems("velocity speed forward run walk move travel along x"),
        axis="fore",
    ),
    Purpose(
        "rotate",
        weighted(
            {
                2.5: "flip spin rotate rotation somersault cartwheel twirl tumble pirouette",
                1.5: "turn roll twist revolve whirl revolution",
                0.4: "fast quick rapid",
            }
        ),
        {"spin": 1.0},
        stems("angular rotation rotate spin turn flip pitch tumble rate yaw roll"),
    ),
    Purpose(
        "raise",
        weighted(
            {
                2.0: "jump leap lift raise airborne hover climb",
                1.5: "height high altitude fly lie crouch squat sit duck",
                0.6: "hop tall low lower",
            }
        ),
        {"length": 1.0, "speed": 0.5},
        stems("height high altitude elevation above ground floor vertical z rise up"),
        requires=stems("height altitude elevation vertical z above rise up"),
        axis="up",
    ),
    Purpose(
        "upright",
        weighted(
            {
                2.0: "upright balance erect vertical invert straighten",
                1.5: "swing stand level",
                0.7: "up tilt topple",
            }
        ),
        {"ratio": 1.0, "angle": 0.8},
        stems("upright up cosine vertical lean tilt level balance erect angle"),
        requires=stems("upright up cosine vertical lean tilt level balance erect hang inverted"),
    ),
    Purpose(
        "reach",
        weighted(
            {
                2.0: "reach target goal touch grasp approach destination",
                1.0: "toward towards bring point distance near close aim place position hit",
                0.4: "to push move track follow",
            }
        ),
        {"length": 1.0},
        stems("distance target goal error offset from to between away difference"),
        requires=stems("distance target goal error offset difference"),
    ),
    Purpose(
        "centre",
        weighted({2.0: "centre middle origin", 1.0: "centred stay track home", 0.4: "keep"}),
        {"length": 1.0, "angle": 0.3},
        stems("position displacement centre middle origin along cart track x offset"),
    ),
    Purpose(
        "still",
        weighted(
            {2.0: "still motionless stop brake", 1.0: "rest hold steady settle calm freeze balance"}
        ),
        {"speed": 1.0, "spin": 0.9},
        stems("velocity speed rate angular"),
    ),
)

FALL = stems("fall topple collapse crash stumble trip")
ECONOMY = stems(
    "smooth efficient gentle energy effort economical economic careful soft quiet gently"
)
INTERNAL = stems("joint joints limb limbs motor motors knee ankle hip thigh shin leg legs foot")
UPRIGHT = stems("upright level vertical up balanced top standing erect straight inverted")
HANGING = stems("hanging down downward below bottom upside lying")

DIRECTIONS: Mapping[str, tuple[str, int]] = {
    **{word: ("fore", 1) for word in stems("forward ahead front")},
    **{word: ("fore", -1) for word in stems("backward back reverse rear")},
    **{word: ("up", 1) for word in stems("up upward rise raise high vertical above height")},
    **{
        word: ("up", -1) for word in stems("down downward sink fall low below lie crouch squat sit")
    },
    **{word: ("side", 1) for word in stems("left counterclockwise leftward sideways lateral")},
    **{word: ("side", -1) for word in stems("right clockwise rightward")},
}
"""Stem → (axis, pole).  For a rotation the fore poles mean tipping forward and backward."""

LINEAR_AXES: Mapping[str, str] = {"x": "fore", "y": "side", "z": "up"}
TURN_LETTERS: Mapping[str, str] = {"x": "roll", "y": "pitch", "z": "yaw"}
"""What single letters mean of positions and velocities, and of rotations: x ahead, z up."""

TURN_AXES: Mapping[str, str] = {
    **{word: "pitch" for word in stems("pitch nose lean")},
    **{word: "yaw" for word in stems("yaw heading")},
    "roll": "roll",
}
"""What a rotation is about, in the words of a measurement."""
WANTED_TURNS: Mapping[str, str] = {
    **TURN_AXES,
    **{word: "pitch" for word in stems("flip somersault tumble")},
    **{word: "yaw" for word in stems("spin turn twirl pirouette twist")},
    "cartwheel": "roll",
}
"""And in the words of a wish."""

NOT_A_DIRECTION_BEFORE = stems("leg foot thigh shin hind paw knee side wheel half end")
NOT_A_DIRECTION_AFTER = stems("its the on a of")


def directions(words: Sequence[str]) -> list[tuple[str, int]]:
    """Axis and pole of every direction word, in order ("nose down" is tipping forward)."""
    found: list[tuple[str, int]] = []
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        after = words[place + 1] if place + 1 < len(words) else ""
        if before == "nos" and word in ("up", "down"):
            found.append(("fore", 1 if word == "down" else -1))
        elif word == "back" and (
            after in NOT_A_DIRECTION_BEFORE or (before in NOT_A_DIRECTION_AFTER and not after)
        ):
            continue
        elif word in DIRECTIONS:
            found.append(DIRECTIONS[word])
    return found


def quantity(unit: str) -> str:
    """Kind of quantity that a unit measures: speed, spin, length, angle, ratio, force or other."""
    plain = re.sub(r"\s+", "", unit.lower().replace("metres", "m").replace("meters", "m"))
    if plain in ("m/s", "ms^-1", "m/sec", "cm/s", "km/h"):
        return "speed"
    if plain in ("rad/s", "deg/s", "degrees/s", "rad/sec", "rev/s", "rpm"):
        return "spin"
    if plain in ("m", "cm", "mm"):
        return "length"
    if plain in ("rad", "radians", "deg", "degrees", "°"):
        return "angle"
    if plain in ("", "1", "-", "ratio", "cosine", "none", "dimensionless", "unitless"):
        return "ratio"
    if re.fullmatch(r"\[?-?[01](\.0)?(to|\.\.|,|…)\+?1(\.0)?\]?", plain):
        return "ratio"
    return "force" if plain in ("n", "nm") else "other"
