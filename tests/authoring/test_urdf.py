"""Robots in URDF: meshes in ROS packages, a root that is fixed or free, actuators added."""

from pathlib import Path

import numpy as np
import pytest

from reward_synth.authoring.making import make_folder
from reward_synth.authoring.models import draft_model
from reward_synth.errors import UserError
from reward_synth.simulation import open_simulator
from reward_synth.simulation.model import build_model
from reward_synth.simulation.trial import faults_of

CUBE = "".join(f"v {x} {y} {z}\n" for x in (0, 1) for y in (0, 1) for z in (0, 1)) + (
    "f 1 2 4\nf 1 4 3\nf 5 8 6\nf 5 7 8\nf 1 6 2\nf 1 5 6\nf 3 4 8\nf 3 8 7\nf 1 3 7\nf 1 7 5\n"
    "f 2 8 4\nf 2 6 8\n"
)
LINK = """
  <link name="{name}">
    <inertial>
      <origin xyz="0 0 {middle}"/><mass value="1"/>
      <inertia ixx="0.01" ixy="0" ixz="0" iyy="0.01" iyz="0" izz="0.01"/>
    </inertial>
    <collision><geometry>{shape}</geometry></collision>
  </link>"""
JOINT = """
  <joint name="{name}" type="revolute">
    <parent link="{parent}"/><child link="{child}"/>
    <origin xyz="0 0 {height}"/><axis xyz="0 1 0"/>
    <limit lower="-1.5" upper="1.5" effort="20" velocity="5"/>
  </joint>"""


@pytest.fixture
def arm(tmp_path: Path) -> Path:
    """An arm of two joints in a ROS package, with a mesh beside its ``urdf`` folder."""
    package = tmp_path / "arm_description"
    for name in ("urdf", "meshes"):
        (package / name).mkdir(parents=True)
    (package / "meshes/base.obj").write_text(CUBE)
    mesh = '<mesh filename="package://arm_description/meshes/base.obj" scale="0.1 0.1 0.1"/>'
    rod = '<cylinder radius="0.02" length="0.3"/>'
    parts = [
        LINK.format(name="base", middle=0, shape=mesh),
        LINK.format(name="upper", middle=0.15, shape=rod),
        LINK.format(name="lower", middle=0.15, shape=rod),
        JOINT.format(name="shoulder", parent="base", child="upper", height=0.1),
        JOINT.format(name="elbow", parent="upper", child="lower", height=0.3),
    ]
    path = package / "urdf/arm.urdf"
    path.write_text(f'<robot name="arm">{"".join(parts)}\n</robot>\n')
    return path


def test_an_arm_is_fixed_and_gets_actuators(arm: Path, tmp_path: Path) -> None:
    draft = draft_model(arm, urdf=True, goal="joint=elbow,0.5")
    assert draft.notes == ["base is fixed to the world; --floating lets it move freely"]
    task = make_folder(draft, tmp_path / "made")
    assert (task.folder / "model/meshes/base.obj").is_file()
    model = build_model(task).model
    assert (model.nu, model.nq, model.nmesh) == (2, 2, 1)
    assert model.body("base").mass[0] == 1.0  # not merged with the world
    assert model.actuator("elbow").ctrlrange.tolist() == [-1.5, 1.5]
    assert faults_of(task, tensors=True) == []
    simulator = open_simulator(task, 2)
    simulator.reset(0)
    assert np.isfinite(simulator.step(np.ones((2, 2))).observation).all()
    simulator.close()


def test_a_floating_root_falls_on_a_floor(arm: Path, tmp_path: Path) -> None:
    draft = draft_model(arm, urdf=True, floating=True)
    assert draft.world == 'model=UrdfFile("model/urdf/arm.urdf", floating=True)'
    task = make_folder(draft, tmp_path / "made")
    model = build_model(task).model
    assert model.nq == 7 + 2
    assert model.geom("floor").type[0] == 0
    assert "projected_gravity" in task.observation


def test_a_missing_mesh_is_one_line(arm: Path) -> None:
    (arm.parent.parent / "meshes/base.obj").unlink()
    with pytest.raises(UserError, match=r"no mesh package://arm_description/meshes/base\.obj"):
        draft_model(arm, urdf=True)


def test_a_mesh_that_mujoco_cannot_read_says_what_to_do(arm: Path) -> None:
    (arm.parent.parent / "meshes/base.dae").write_text("<COLLADA/>")
    arm.write_text(arm.read_text().replace("base.obj", "base.dae"))
    with pytest.raises(UserError, match=r"reads no \.dae meshes.*convert it to one of \.stl"):
        draft_model(arm, urdf=True)


def test_what_is_only_seen_may_be_in_other_formats(arm: Path, tmp_path: Path) -> None:
    seen = (
        '<visual><geometry><mesh filename="package://arm_description/a.dae"/></geometry></visual>'
    )
    arm.write_text(arm.read_text().replace("<collision>", f"{seen}<collision>", 1))
    assert build_model(make_folder(draft_model(arm, urdf=True), tmp_path / "made")).model.nmesh == 1
