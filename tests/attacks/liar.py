"""A worker that lies: it speaks the protocol of ``sandbox/worker.py`` and breaks it in one way.

    python liar.py POLICY [LIE]

It trains nothing.  An honest answer hands over POLICY, a sound file, with made-up statistics.  A
member whose program holds ``# LIE: NAME`` is answered with that lie; so is every other training if
LIE is given.  ``LIES`` tells what is to become of each.
"""

import json
import os
import pickle
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Job = Mapping[str, Any]
Facts = dict[str, Any]

CALLS_FOR = "# LIE: "
HUGE = 1e300
HOSTILE = (
    "</script><script>alert(1)</script><b>{{ 7 * 7 }}</b> [red]\n"
    "\x1b]0;owned\x07\x1b[2J\x9b31m\x90q\u202e\n\n# system\nerror: the disk is gone"
)
"""HTML, a template, markup, OSC, CSI and 8-bit sequences for a terminal, and lines of others."""
CHUNK = b"x" * 2**20
DONE = b'{"kind": "done"}\n'


@dataclass(frozen=True)
class Lie:
    """What to do with a job and one of its members, and what becomes of the member."""

    tell: Callable[[Job, str], None]
    reason: str | None
    """Of the member's failure; None where the lie is without effect."""
    message: str
    """A regular expression for the failure's message."""


LIES: dict[str, Lie] = {}


def lie(reason: str | None = None, message: str = "") -> Callable[[Callable[..., None]], None]:
    """Enter a function of a job and a member's name in ``LIES``, under its own name."""

    def enter(function: Callable[..., None]) -> None:
        LIES[function.__name__] = Lie(function, reason, message)

    return enter


# --- saying ----------------------------------------------------------------------------------


def raw(data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(1, left) :]


def say(event: object) -> None:
    """An event, as if the job had said it."""
    raw(b">" + json.dumps(event).encode() + b"\n")


def checkpoint(member: str, **changes: Any) -> Facts:
    component = {"mean": 0.5, "min": 0.0, "max": 1.0, "std": 0.1, "share": 1.0}
    return {
        "kind": "checkpoint",
        "member": member,
        "step": 1024,
        "seconds": 0.1,
        "episodes": 4,
        "episode_return": 10.0,
        "episode_length": 250.0,
        "fitness": 0.1,
        "success": None,
        "components": {"up": component},
    } | changes


def report(member: str, **changes: Any) -> Facts:
    return {
        "seed": 1,
        "steps": 1024,
        "seconds": 0.1,
        "environments": 8,
        "trainer": "liar",
        "note": "",
        "checkpoints": [checkpoint(member)],
        "peak_memory": 0,
    } | changes


def trained(job: Job, **lies: Facts) -> Facts:
    """The result of a job in which all members trained, but for the entries in ``lies``."""
    members = []
    for name in names(job):
        leave(job, name, POLICY)
        if job["keep"]:
            leave(job, f"{name}.state", b"state")
        members.append({"member": name, "report": report(name), "failure": None})
        members[-1] |= lies.get(name, {})
    return {"kind": "trained", "members": members, "peak_memory": 0}


def names(job: Job) -> list[str]:
    return [member["name"] for member in job["members"]]


def place(job: Job, name: str) -> Path:
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.safetensors"


def leave(job: Job, name: str, data: bytes) -> None:
    place(job, name).write_bytes(data)


def says(job: Job, name: str, **changes: Any) -> None:
    """A result whose report of one member is changed."""
    say(trained(job, **{name: {"report": report(name, **changes)}}))


def leaves(job: Job, name: str, data: bytes) -> None:
    """A result with other bytes in the place of one member's policy."""
    result = trained(job)
    leave(job, name, data)
    say(result)


# --- scores that nobody measured -------------------------------------------------------------


@lie()
def huge_fitness(job: Job, name: str) -> None:
    best = checkpoint(name, fitness=HUGE, success=1.0, episode_return=HUGE)
    say(best)
    says(job, name, checkpoints=[best] * 10)


@lie("protocol", r"not allowed \(at trained\.score\)")
def score_beside_the_result(job: Job, name: str) -> None:
    say(trained(job) | {"score": {"fitness": HUGE}})


@lie("protocol", r"not allowed \(at trained\.members\.0\.fitness\)")
def fitness_of_a_member(job: Job, name: str) -> None:
    say(trained(job, **{name: {"fitness": HUGE}}))


@lie("protocol", r"not allowed \(at trained\.members\.0\.report\.score\)")
def score_in_the_report(job: Job, name: str) -> None:
    says(job, name, score={"fitness": HUGE})


@lie()
def score_in_a_file(job: Job, name: str) -> None:
    result = trained(job)
    for file in ("report.json", "score.json", "best.json", f"{name}.json"):
        (Path(job["folder"]) / file).write_text('{"fitness": 1e300, "score": {"fitness": 1e300}}')
    say(result)


@lie()
def other_seed(job: Job, name: str) -> None:
    says(job, name, seed=999)


# --- numbers that are none -------------------------------------------------------------------


@lie("protocol", r"not allowed \(at trained\.members\.0\.report\.seconds\)")
def not_a_number(job: Job, name: str) -> None:
    says(job, name, seconds=float("nan"))


@lie("protocol", r"checkpoints\.0\.fitness\)")
def infinite(job: Job, name: str) -> None:
    says(job, name, checkpoints=[checkpoint(name, fitness=float("-inf"))])


@lie("protocol", r"checkpoints\.0\.fitness\)")
def beyond_a_double(job: Job, name: str) -> None:
    told = json.dumps(trained(job)).replace('"fitness": 0.1', '"fitness": 1e999', 1)
    raw(b">" + told.encode() + b"\n")


@lie("protocol", r"report\.steps\)")
def endless_steps(job: Job, name: str) -> None:
    says(job, name, steps=10**400)


@lie("protocol", "not JSON")
def more_digits_than_python_reads(job: Job, name: str) -> None:
    raw(b'>{"kind": "trained", "members": [], "peak_memory": 1' + b"0" * 10_000 + b"}\n")


@lie("protocol", r"report\.steps\)")
def negative_steps(job: Job, name: str) -> None:
    says(job, name, steps=-1)


@lie("protocol", r"trained\.peak_memory\)")
def more_memory_than_an_integer_holds(job: Job, name: str) -> None:
    say(trained(job) | {"peak_memory": 2**63})


# --- too many, and other names ---------------------------------------------------------------


@lie("protocol", r"report\.checkpoints\)")
def a_thousand_and_one_checkpoints(job: Job, name: str) -> None:
    says(job, name, checkpoints=[checkpoint(name)] * 1001)


@lie("protocol", r"checkpoint\.components\)")
def fifty_one_components(job: Job, name: str) -> None:
    component = checkpoint(name)["components"]["up"]
    say(checkpoint(name, components={f"c{k}": component for k in range(51)}))


@lie("protocol", "not allowed")
def component_named_like_a_page(job: Job, name: str) -> None:
    component = checkpoint(name)["components"]["up"]
    says(job, name, checkpoints=[checkpoint(name, components={HOSTILE: component})])


@lie()
def checkpoint_of_somebody_else(job: Job, name: str) -> None:
    say(checkpoint("elsewhere", fitness=HUGE))
    say(trained(job))


@lie()
def result_for_a_path(job: Job, name: str) -> None:
    result = trained(job)
    for path in ("../../m1", "../m1", "/etc/passwd", "m1/../m1", "", "."):
        result["members"].append({"member": path, "report": report(path), "failure": None})
    say(result)


@lie("protocol", "said nothing of this member")
def result_for_another_job(job: Job, name: str) -> None:
    result = trained(job)
    result["members"] = [
        {**told, "member": "0042-7"} if told["member"] == name else told
        for told in result["members"]
    ]
    say(result)


@lie()
def result_twice(job: Job, name: str) -> None:
    result = trained(job)
    nothing = {"kind": "failed", "reason": "raised", "message": "no"}
    result["members"] += [{"member": name, "report": None, "failure": nothing}, *result["members"]]
    say(result)


@lie("protocol", "gave no report")
def result_without_a_report(job: Job, name: str) -> None:
    say(trained(job, **{name: {"report": None}}))


@lie("protocol", "gave no result")
def no_result(job: Job, name: str) -> None:
    trained(job)


@lie("protocol", "gave no result")
def result_in_the_worker_s_own_name(job: Job, name: str) -> None:
    raw(json.dumps(trained(job)).encode() + b"\n")


@lie("protocol", r"a job to train with a probed")
def probe_s_result(job: Job, name: str) -> None:
    say({"kind": "probed", "programs": []})


@lie("protocol", r"event that is not allowed \(at many places\)|of this member")
def fields_without_end(job: Job, name: str) -> None:
    say(trained(job) | {f"f{k}": 0 for k in range(200_000)})


@lie("protocol", r"failed\.reason\)")
def unknown_reason(job: Job, name: str) -> None:
    say({"kind": "failed", "reason": "money", "message": "send some"})


@lie("disk", "no space left")
def full_disk(job: Job, name: str) -> None:
    say({"kind": "failed", "reason": "disk", "message": "no space left to write the policy"})


# --- lines -----------------------------------------------------------------------------------


@lie("protocol", "not JSON")
def no_json(job: Job, name: str) -> None:
    raw(b">fitness = 1\n")


@lie("protocol", "not JSON")
def no_utf8(job: Job, name: str) -> None:
    raw(b'>{"kind": "trained", "members": "\xff\xfe\xc3("}\n')


@lie("protocol", "not JSON")
def control_characters_in_json(job: Job, name: str) -> None:
    raw(b'>{"kind": "\x1b[2J"}\n')


@lie("protocol", "not an event")
def no_object(job: Job, name: str) -> None:
    say([trained(job)])


@lie("protocol", "not JSON")
def lists_without_end(job: Job, name: str) -> None:
    raw(b'>{"kind": ' + b"[" * 100_000 + b"\n")


@lie("protocol", "more than 20 levels")
def nested_objects(job: Job, name: str) -> None:
    raw(b">" + b'{"a":' * 600 + b"1" + b"}" * 600 + b"\n")


@lie("protocol", "more than 20 levels")
def nested_lists(job: Job, name: str) -> None:
    raw(b'>{"kind": ' + b"[" * 100 + b"]" * 100 + b"}\n")


@lie()
def keys_twice(job: Job, name: str) -> None:
    told = json.dumps(trained(job))
    raw(b'>{"kind": "failed", "members": [], ' + told[1:].encode() + b"\n")


@lie("protocol", "more than 250,000 values")
def two_million_values(job: Job, name: str) -> None:
    raw(b'>{"kind": "trained", "members": [' + b"0," * 2_000_000 + b"0]}\n")


@lie("protocol", "a line of more than 4,194,304 bytes")
def a_line_of_five_gigabytes(job: Job, name: str) -> None:
    raw(b'>{"kind": "')
    for _ in range(5 * 1024):
        raw(CHUNK)


@lie("protocol", "more than 67,108,864 bytes")
def long_lines_without_end(job: Job, name: str) -> None:
    while True:
        say({"kind": "failed", "reason": "raised", "message": "x" * 2**20})


@lie("protocol", "more than 20,000 lines")
def a_million_events(job: Job, name: str) -> None:
    event = b'>{"kind": "failed", "reason": "raised", "message": ""}\n'
    for _ in range(1000):
        raw(event * 1000)


@lie("protocol", "more than 20,000 lines")
def alive_without_end(job: Job, name: str) -> None:
    while True:
        raw(b'{"kind": "alive"}\n' * 1000)


# --- what looks like somebody else's words ---------------------------------------------------


@lie("raised", r"^</script><script>alert\(1\)</script>.*\ufffd\]0;owned.* # system error: the")
def hostile_message(job: Job, name: str) -> None:
    say({"kind": "failed", "reason": "raised", "message": HOSTILE})


@lie("raised", r"^x{1999}…$")
def long_message(job: Job, name: str) -> None:
    say({"kind": "failed", "reason": "raised", "message": "x" * 3_000_000})


@lie()
def hostile_note(job: Job, name: str) -> None:
    says(job, name, note=HOSTILE, trainer=HOSTILE)


# --- files that are no policies --------------------------------------------------------------


@lie("protocol", "left no plain file")
def no_file(job: Job, name: str) -> None:
    result = trained(job)
    place(job, name).unlink()
    say(result)


@lie("protocol", "left no plain file")
def link_to_a_policy(job: Job, name: str) -> None:
    result = trained(job)
    place(job, name).unlink()
    place(job, name).symlink_to(sys.argv[1])
    say(result)


@lie("protocol", "left no plain file")
def link_to_a_device(job: Job, name: str) -> None:
    result = trained(job)
    place(job, name).unlink()
    place(job, name).symlink_to("/dev/zero")
    say(result)


@lie("protocol", "left no plain file")
def pipe(job: Job, name: str) -> None:
    result = trained(job)
    place(job, name).unlink()
    os.mkfifo(place(job, name))
    say(result)


@lie("protocol", "left no plain file")
def folder(job: Job, name: str) -> None:
    result = trained(job)
    place(job, name).unlink()
    place(job, name).mkdir()
    say(result)


@lie("protocol", r"a file .* of 1,099,511,627,776 bytes")
def terabyte_of_nothing(job: Job, name: str) -> None:
    result = trained(job)
    os.truncate(place(job, name), 2**40)
    say(result)


@lie("protocol", "larger than 67108864 bytes")
def longer_than_any_policy(job: Job, name: str) -> None:
    result = trained(job)
    os.truncate(place(job, name), 65 * 2**20)
    say(result)


@lie("protocol", "header too small")
def empty(job: Job, name: str) -> None:
    leaves(job, name, b"")


@lie("protocol", "is a zip archive")
def zip_archive(job: Job, name: str) -> None:
    leaves(job, name, b"PK\x03\x04" + POLICY)


@lie("protocol", "is not a policy file")
def pickled(job: Job, name: str) -> None:
    leaves(job, name, pickle.dumps({"policy.0.weight": [1.0]}))


# --- headers of policies ---------------------------------------------------------------------


def tensors(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def parts() -> tuple[Facts, bytes]:
    """Header and data of the sound policy."""
    size = struct.unpack("<Q", POLICY[:8])[0]
    return json.loads(POLICY[8 : 8 + size]), POLICY[8 + size :]


def changed(tensor: str, **facts: Any) -> bytes:
    """The sound policy with other facts of one tensor."""
    header, data = parts()
    header[tensor] |= facts
    return tensors(header, data)


def weights(value: float) -> bytes:
    """The sound policy with one number in the place of all weights of its first layer."""
    header, data = parts()
    start, end = header["policy.0.weight"]["data_offsets"]
    numbers = struct.pack("<d", value) * ((end - start) // 8)
    return tensors(header, data[:start] + numbers + data[end:])


@lie("protocol", "header claims 1152921504606846976 bytes")
def header_bomb(job: Job, name: str) -> None:
    leaves(job, name, struct.pack("<Q", 2**60) + b"{}")


@lie("protocol", "header claims 104857600 bytes")
def header_of_a_hundred_megabytes(job: Job, name: str) -> None:
    leaves(job, name, struct.pack("<Q", 100 * 2**20) + b'{"a":' * 2**20)


@lie("protocol", "is not a safetensors file")
def nested_header(job: Job, name: str) -> None:
    leaves(job, name, tensors(b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}"))


@lie("protocol", "is not a safetensors file")
def header_that_is_no_json(job: Job, name: str) -> None:
    leaves(job, name, tensors(b"\xff\xfe{}"))


@lie("protocol", "invalid offset")
def overlapping_tensors(job: Job, name: str) -> None:
    header, _ = parts()
    offsets = header["observation.mean"]["data_offsets"]
    leaves(job, name, changed("observation.variance", data_offsets=offsets))


@lie("protocol", "is not a safetensors file")
def tensor_beyond_the_end(job: Job, name: str) -> None:
    header, data = parts()
    leaves(job, name, tensors(header, data[:-8]))


@lie("protocol", "is not a safetensors file")
def negative_offsets(job: Job, name: str) -> None:
    leaves(job, name, changed("observation.mean", data_offsets=[-8, 0]))


@lie("protocol", "is not a safetensors file")
def shape_that_overflows(job: Job, name: str) -> None:
    leaves(job, name, changed("observation.mean", shape=[2**40, 2**40]))


@lie()
def tensor_twice(job: Job, name: str) -> None:
    header, data = parts()
    again = json.dumps(header)[1:]
    leaves(job, name, tensors(b"{" + again[:-1].encode() + b", " + again.encode(), data))


@lie()
def no_metadata(job: Job, name: str) -> None:
    header, data = parts()
    leaves(job, name, tensors(header | {"__metadata__": None}, data))


@lie("protocol", "its description .* is none of a policy")
def nested_metadata(job: Job, name: str) -> None:
    header, data = parts()
    deep = {"policy": '{"activation":' + "[" * 20_000 + "]" * 20_000 + "}"}
    leaves(job, name, tensors(header | {"__metadata__": deep}, data))


@lie("protocol", r"unknown variant `\\x1b\[2J\\u202e`")
def escape_sequence_in_the_header(job: Job, name: str) -> None:
    leaves(job, name, changed("observation.mean", dtype="\x1b[2J\u202e"))


@lie("protocol", "a tensor is named '../../m1'")
def tensor_named_like_a_path(job: Job, name: str) -> None:
    header, data = parts()
    start = len(data)
    more = {"../../m1": {"dtype": "F32", "shape": [1], "data_offsets": [start, start + 4]}}
    leaves(job, name, tensors(header | more, data + b"\0" * 4))


# --- tensors of policies ---------------------------------------------------------------------


@lie("protocol", "a policy holds float32 or float64")
def integers(job: Job, name: str) -> None:
    leaves(job, name, changed("observation.mean", dtype="I64"))


@lie("protocol", "is not a safetensors file")
def numbers_of_no_kind(job: Job, name: str) -> None:
    leaves(job, name, changed("policy.0.weight", dtype="BF16", shape=[1, 16]))


@lie("protocol", "has no tensor observation.variance")
def missing_tensor(job: Job, name: str) -> None:
    header, data = parts()
    header["other"] = header.pop("observation.variance")
    leaves(job, name, tensors(header, data))


@lie("protocol", "has shape")
def other_shape(job: Job, name: str) -> None:
    header, _ = parts()
    [size] = header["observation.mean"]["shape"]
    leaves(job, name, changed("observation.mean", shape=[1, size]))


@lie("protocol", "has entries that are not finite")
def weights_that_are_no_numbers(job: Job, name: str) -> None:
    leaves(job, name, weights(float("nan")))


@lie("protocol", "a weight is|outputs, more than 4096|is larger than")
def layer_of_a_million(job: Job, name: str) -> None:
    header, data = parts()
    [size] = header["observation.mean"]["shape"]
    start = len(data)
    wide = 1_000_000
    end = start + 8 * wide * size
    header["more"] = header.pop("policy.0.weight")
    header["policy.0.weight"] = {
        "dtype": "F64",
        "shape": [wide, size],
        "data_offsets": [start, end],
    }
    leaves(job, name, tensors(header, data + b"\0" * (end - start)))


# --- what stays behind -----------------------------------------------------------------------

HELD: list[int] = []


@lie()
def policy_changed_after_it_was_handed_over(job: Job, name: str) -> None:
    """With the next job, by a file that was kept open."""
    HELD.append(os.open(place(job, name), os.O_RDWR | os.O_CREAT))
    say(trained(job))


@lie()
def folders_without_end(job: Job, name: str) -> None:
    result = trained(job)
    parent = os.open(job["folder"], os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=parent)
        child = os.open("d", os.O_RDONLY, dir_fd=parent)
        os.close(parent)
        parent = child
    os.close(parent)
    say(result)


@lie()
def words_after_the_end(job: Job, name: str) -> None:
    """A forged answer to the next job."""
    say(trained(job))
    forged = b'>{"kind": "failed", "reason": "raised", "message": "forged"}\n'
    raw(DONE + forged)  # and what follows would end the next job


@lie()
def files_for_the_next_job(job: Job, name: str) -> None:
    """Links in the place where the next job's states would be written."""
    here = Path(job["folder"])
    for next_one in range(int(here.name) + 1, int(here.name) + 4):
        ahead = here.with_name(f"{next_one:06d}")
        ahead.mkdir(exist_ok=True)
        for victim in names(job):
            link = ahead / f"{victim}.state.safetensors"
            link.unlink(missing_ok=True)
            link.symlink_to(sys.argv[1])
    say(trained(job))


# --- not of one job --------------------------------------------------------------------------


def main() -> None:
    raw(b'{"kind": "ready"}\n')
    for line in sys.stdin:
        job = json.loads(line)
        for descriptor in HELD:
            os.pwrite(descriptor, b"\0" * 64, 0)
        if job["kind"] == "probe":
            probe(job)
        else:
            told = sys.argv[2] if len(sys.argv) > 2 else ""
            calls = [(m["name"], called_for(m["program"])) for m in job["members"]]
            name, told = next(((n, t) for n, t in calls if t), (names(job)[0], told))
            if told:
                LIES[told].tell(job, name)
            else:
                say(trained(job))
        raw(DONE)


def called_for(program: str) -> str:
    """The lie that a program asks for; empty where it asks for none."""
    return program.partition(CALLS_FOR)[2].partition("\n")[0]


def probe(job: Job) -> None:
    """All programs pass, with a warning in hostile words; who asks for it is refused in such."""
    programs = []
    for program in job["programs"]:
        finding = {"level": "warning", "code": "hostile", "message": HOSTILE}
        if called_for(program) == "refusal":
            finding["level"] = "error"
        programs.append({"findings": [finding], "microseconds_per_step": 1.0, "components": {}})
    say({"kind": "probed", "programs": programs})


if __name__ == "__main__":
    POLICY = Path(sys.argv[1]).read_bytes()
    main()
