"""Parsed programs: constants, digests, compiled functions and their errors, files."""

import numpy as np
import pytest
import torch

from reward_synth.errors import UserError
from reward_synth.reward import RewardError, parse, read_program
from tests.reward.programs import FOLDER, VARIABLES, columns, right_program, states

SOURCE = '''"""A module."""
SPEED = 2.0
JOINTS = 3
OFFSET = -0.5
SHIFTED = SPEED + OFFSET


def compute_reward(forward_velocity, joint_angles):
    """Run."""
    total = forward_velocity / SPEED + SHIFTED
    for i in range(JOINTS):
        total += OFFSET * joint_angles[:, i]
    return total, {"total": total}
'''


def test_what_a_program_says_of_itself():
    program = parse(SOURCE, VARIABLES)
    assert program.arguments == ("forward_velocity", "joint_angles")
    assert program.docstring == "Run."
    assert program.source == SOURCE
    assert program.sizes == {"forward_velocity": None, "joint_angles": 3}


def test_numbers_that_count_are_not_tunable_and_neither_are_derived_ones():
    program = parse(SOURCE, VARIABLES)
    assert program.constants == {"SPEED": 2.0, "OFFSET": -0.5}
    assert program.constant_lines == {"SPEED": 2, "OFFSET": 4}


@pytest.mark.parametrize("namespace", ["numpy", "torch", "jax"])
def test_constants_can_be_overridden_at_compile_time(namespace):
    program = parse(SOURCE, VARIABLES)
    v, q = np.array([1.0, 2.0], np.float32), np.ones((2, 3), np.float32)
    if namespace == "torch":
        arguments = {"forward_velocity": torch.asarray(v), "joint_angles": torch.asarray(q)}
    else:
        arguments = {"forward_velocity": v, "joint_angles": q}
    plain = columns(program.compile(namespace)(**arguments))[""]
    other = columns(program.compile(namespace, {"SPEED": 4.0, "OFFSET": 1})(**arguments))[""]
    np.testing.assert_allclose(plain, v / 2 + 1.5 - 1.5)
    np.testing.assert_allclose(other, v / 4 + 5.0 + 3.0)


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"SPED": 1.0}, "no tunable constant 'SPED'; did you mean 'SPEED'"),
        ({"JOINTS": 2.0}, "no tunable constant 'JOINTS'"),
        ({"SPEED": float("nan")}, "line 2, .*'SPEED' is given the value nan"),
    ],
)
def test_overrides_that_do_not_fit_are_refused(constants, message):
    with pytest.raises(RewardError, match=message):
        parse(SOURCE, VARIABLES).compile(constants=constants)


def test_the_digest_sees_the_program_and_not_its_looks():
    digest = parse(SOURCE, VARIABLES).digest
    commented = SOURCE.replace('"""Run."""', "# no docstring").replace(" = 2.0", "=2.0  # m/s")
    annotated = commented.replace("(forward_velocity,", "(forward_velocity: float,")
    spelt_out = annotated.replace("total +=", "total = total +")
    assert parse(spelt_out, VARIABLES).digest == digest
    assert parse(SOURCE.replace("-0.5", "-0.6"), VARIABLES).digest != digest
    assert digest == "99f757231e075a31e8aee523e1c529d8b83eac3474dd6b431f4c4e84d32cd916"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_have_the_arguments_dtype(dtype):
    program = right_program("numbers_alone")
    values = {name: value.astype(dtype) for name, value in states(program).items()}
    assert {column.dtype for column in columns(program.compile()(**values)).values()} == {
        np.dtype(dtype)
    }
    in_torch = {name: torch.asarray(value) for name, value in values.items()}
    total, components = program.compile("torch")(**in_torch)
    assert {t.dtype for t in (total, *components.values())} == {
        torch.asarray(values["forward_velocity"]).dtype
    }


def test_whole_numbers_are_taken_as_floats():
    reward = right_program("likes").compile()
    total, _ = reward(forward_velocity=np.array([2, 3]), action=np.zeros((2, 3), int))
    assert total.tolist() == [7.0, 8.0]


@pytest.mark.parametrize("namespace", ["numpy", "torch"])
def test_results_share_no_memory_with_arguments(namespace):
    program = right_program("aliases_stay_whole")
    values = states(program)
    arguments = values if namespace == "numpy" else {k: torch.asarray(v) for k, v in values.items()}
    results = {k: np.array(v) for k, v in columns(program.compile(namespace)(**arguments)).items()}
    again = program.compile(namespace)(**arguments)
    for value in arguments.values():
        value[...] = 7.0
    for name, column in columns(again).items():
        np.testing.assert_array_equal(column, results[name])
    np.testing.assert_allclose(results[""], 100.0)
    total, components = right_program("minimal").compile()(forward_velocity=np.ones(3))
    total *= 0.0
    assert components["run"].tolist() == [1.0, 1.0, 1.0]


def test_one_program_serves_batches_of_any_size():
    reward = right_program("design_example").compile("torch")
    program = right_program("design_example")
    for rows in (1, 3, 0):
        values = {k: torch.asarray(v) for k, v in states(program, rows=rows).items()}
        assert reward(**values)[0].shape == (rows,)


@pytest.mark.parametrize("name", ["helper_functions", "target_posture", "quaternions"])
def test_a_program_can_be_traced_by_jax_and_called_afterwards(name):
    import jax

    program = right_program(name)
    values = {k: v.astype(np.float32) for k, v in states(program).items()}
    reward = program.compile("jax")
    traced = columns(jax.jit(lambda v: reward(**v))(values))
    called = columns(reward(**{k: jax.numpy.asarray(v) for k, v in values.items()}))
    for key, column in columns(program.compile("numpy")(**values)).items():
        np.testing.assert_allclose(traced[key], column, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(called[key], column, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"forward_velocity": None}, "the argument 'forward_velocity' is missing"),
        ({"pitch": np.zeros(5)}, "takes no argument 'pitch'; arguments: forward_velocity, joint"),
        (
            {"joint_angles": np.zeros((5, 4))},
            r"'joint_angles' has the shape \(5, 4\); give \(N, 3\)",
        ),
        ({"joint_angles": np.zeros((4, 3))}, r"'joint_angles' has the shape \(4, 3\).*same N"),
        ({"forward_velocity": np.zeros(())}, r"'forward_velocity' has the shape \(\)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(change, message):
    values = {**states(parse(SOURCE, VARIABLES)), **change}
    arguments = {name: value for name, value in values.items() if value is not None}
    with pytest.raises(RewardError, match=message):
        parse(SOURCE, VARIABLES).compile()(**arguments)


def test_what_fails_while_it_runs_names_its_line():
    source = (
        "SCALE = 1.0\n\ndef inverse(x):\n    return x * (1.0 / SCALE)\n\n"
        'def compute_reward(pitch):\n    y = inverse(pitch)\n    return y, {"y": y}\n'
    )
    reward = parse(source, VARIABLES).compile(constants={"SCALE": 0.0})
    with pytest.raises(RewardError) as raised:
        reward(pitch=np.ones(3))
    (finding,) = raised.value.findings
    assert (finding.line, finding.column, finding.code) == (4, 17, "raised")
    assert "ZeroDivisionError" in finding.message


def test_infinite_values_are_given_back_for_the_probe_to_find():
    source = 'def compute_reward(pitch):\n    y = xp.log(pitch)\n    return y, {"y": y}\n'
    total, _ = parse(source, VARIABLES).compile()(pitch=np.array([0.0, -1.0, 1.0]))
    assert np.isneginf(total[0]) and np.isnan(total[1]) and total[2] == 0.0


def test_a_program_sees_no_builtins():
    reward = parse(SOURCE, VARIABLES).compile()
    reward(**states(parse(SOURCE, VARIABLES)))
    ((_, function),) = reward.loaded.values()
    (importer,) = function.__globals__["__builtins__"].values()
    with pytest.raises(ImportError, match="cannot import os"):
        importer("os")
    assert not {"open", "eval", "__import__", "np", "numpy"} & set(function.__globals__)


def test_read_program_reads_utf8_with_and_without_a_mark(tmp_path):
    path = tmp_path / "reward.py"
    path.write_text("# größer\n", encoding="utf-8-sig")
    assert read_program(path) == "# größer\n"
    assert read_program(FOLDER / "right" / "minimal.py").startswith("def compute_reward")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x7fELF\x00\x01", "is a binary file"),
        ("# größer\n".encode("latin-1"), "is not UTF-8 at byte 5"),
        (b"#" * 70_000, "is longer than 64,000 characters"),
        (b"\xff" * 300_000, "is longer than 64,000 characters"),
    ],
)
def test_files_that_are_no_programs(tmp_path, content, message):
    path = tmp_path / "reward.py"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message) as raised:
        read_program(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_is_no_program(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        read_program(tmp_path)


def test_numbers_chosen_by_row_keep_their_precision():
    source = (
        "def compute_reward(pitch):\n"
        "    turn = xp.where(pitch > 0.0, xp.pi, 0.1)\n"
        '    return turn, {"turn": turn}\n'
    )
    total, _ = parse(source, VARIABLES).compile("torch")(pitch=torch.tensor([1.0, -1.0]).double())
    assert total.tolist() == [np.pi, 0.1]


def test_a_vector_product_with_itself_is_zero_on_torch_too():
    source = (
        "def compute_reward(joint_angles):\n"
        "    turn = xp.linalg.cross(joint_angles, joint_angles * 1.0)\n"
        '    return xp.max(xp.abs(turn), axis=-1), {"turn": turn[:, 0]}\n'
    )
    angles = torch.as_tensor(np.random.default_rng(0).normal(size=(64, 3)))
    total, _ = parse(source, VARIABLES).compile("torch")(joint_angles=angles)
    assert not total.any()
