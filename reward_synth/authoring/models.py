"""Drafts of tasks on MuJoCo models: variables, start, end, actions and rewards from the model."""

import re
import textwrap
from pathlib import Path
from typing import Any

from reward_synth.authoring.anatomy import Anatomy, JointFacts, dissect
from reward_synth.authoring.draft import Constant, Draft, VariableDraft, identifier, quoted
from reward_synth.authoring.goals import choose_goal
from reward_synth.errors import UserError
from reward_synth.task.model_files import source_files

LEGGED_HZ, OTHER_HZ = 50.0, 25.0
LEGGED_SECONDS, OTHER_SECONDS = 10.0, 5.0
TRAINING_STEPS = 300_000
FALLEN_SHARE = 0.5
"""Of the root's height at the start: lower than this is fallen."""
STIFFNESS, DAMPING = 50.0, 2.0
"""Of position actuators that are added to a model without any, N m/rad and N m s/rad."""
MOST_SENSORS = 12
"""Declared sensors that get a variable."""

HELPERS = '''
def into_body(pose, vector, xp):
    """A vector of the world (N, 3) in the frame of a body with this pose (N, 7)."""
    w, x, y, z = (pose[:, i] for i in range(3, 7))
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )
    parts = [sum(row[i] * vector[:, i] for i in range(3)) for row in rows]
    return xp.stack(parts, axis=-1)


def down(pose, xp):
    """The direction of gravity (N, 3) in the frame of a body with this pose (N, 7)."""
    w, x, y, z = (pose[:, i] for i in range(3, 7))
    parts = [2 * (w * y - x * z), -2 * (y * z + w * x), 2 * (x * x + y * y) - 1]
    return xp.stack(parts, axis=-1)
'''
FALLEN = '''
def terminated(v, xp):
    """The robot has fallen: its root is lower than ``FALLEN_HEIGHT``."""
    return v["root_height"] < FALLEN_HEIGHT
'''


def draft_model(
    path: Path,
    *,
    urdf: bool = False,
    floating: bool = False,
    description: str | None = None,
    goal: str | None = None,
    hz: float | None = None,
    seconds: float | None = None,
) -> Draft:
    """The draft of a task on a model.

    Args:
        path: an MJCF or URDF file.
        urdf: whether it is URDF.
        floating: whether a URDF's root link moves freely.
        description: what is to be learned; from the goal if None.
        goal: ``speed=1``, ``near=A,B``, ``height=BODY,H``, ``upright=BODY``, ``joint=NAME,ANGLE``
            or ``none``; from what the model holds if None.
        hz: control steps a second.
        seconds: length of an episode.

    Raises:
        UserError: the file is missing or broken, or the goal names what the model lacks.
    """
    if not path.is_file():
        raise UserError(f"there is no model {path}")
    for name, value in (("--hz", hz), ("--seconds", seconds)):
        if value is not None and not 0.0 < value < float("inf"):
            raise UserError(f"{name} is {value}; give a positive number")
    edits: list[str] = []
    model, home, parts = _compile(path, edits, floating)
    hz = hz or (LEGGED_HZ if parts.floating else OTHER_HZ)
    seconds = seconds or (LEGGED_SECONDS if parts.floating else OTHER_SECONDS)
    skip = max(1, round(1.0 / (hz * model.opt.timestep)))
    step = skip * float(model.opt.timestep)
    steps = max(2, round(seconds / step))
    variables = _variables(parts)
    aim = choose_goal(goal, parts, variables, model, seconds)
    variables += [v for v in aim.variables if v.name not in {w.name for w in variables}]
    residual = home is not None and _all_positions(model)
    constants = [
        Constant("FRAME_SKIP", str(skip), f"Physics steps per control step: {step:g} s."),
        Constant("EPISODE_STEPS", str(steps), f"Control steps of an episode: {steps * step:g} s."),
        Constant(
            "JOINT_NOISE", "0.02", "Half width of the noise on joints at the start, rad or m."
        ),
    ]
    functions = [HELPERS] if parts.floating else []
    fields = {
        "frame_skip": "FRAME_SKIP",
        "reset": f"Home({quoted(home) if home is not None else None}, noise=JOINT_NOISE)",
    }
    if parts.floating:
        height = round(FALLEN_SHARE * parts.home_height, 3)
        constants.append(
            Constant("FALLEN_HEIGHT", str(height), "The root is fallen when it is lower, m.")
        )
        functions.append(FALLEN)
        fields["terminated"] = "terminated"
    if residual:
        scale = "0.25" if parts.floating else "0.5"
        constants.append(
            Constant(
                "ACTION_SCALE", scale, "Change of a position target by the action 1, rad or m."
            )
        )
        fields["actions"] = f"Residual(home={quoted(home or '')}, scale=ACTION_SCALE)"
    if edits:
        body = "\n".join(f"    {line}" for line in edits)
        functions.append(
            '\ndef edit_model(spec):\n    """What the model lacks for the task."""\n'
            f"    import mujoco\n\n{body}\n"
            if any("mujoco." in line for line in edits)
            else f'\ndef edit_model(spec):\n    """What the model lacks for the task."""\n{body}\n'
        )
        fields["edit_model"] = "edit_model"
    cameras = [model.camera(i).name for i in range(model.ncam) if model.camera(i).name]
    if cameras:
        fields["camera"] = quoted(cameras[0])
    functions.append(aim.functions)
    files = source_files(path)
    main = next(place for place, file in files.items() if file == path.resolve())
    notes = []
    if urdf and not floating:
        notes.append(f"{parts.root} is fixed to the world; --floating lets it move freely")
    elif home is None:
        notes.append("the model has no keyframe: episodes begin in its own starting position")
    world = f"MjcfFile({quoted(f'model/{main}')})"
    if urdf:
        world = f"UrdfFile({quoted(f'model/{main}')}{', floating=True' if floating else ''})"
    return Draft(
        title=f"The model {path.name}: its robot's root is {parts.root}.",
        description=description or aim.description,
        world=f"model={world}",
        variables=variables,
        observation=_observation(variables, parts),
        episode_steps="EPISODE_STEPS",
        training_steps=TRAINING_STEPS,
        constants=[*constants, *aim.constants],
        functions="\n\n\n".join(part.strip("\n") for part in functions if part),
        fields=fields,
        fitness_doc=aim.fitness_doc,
        success_doc=aim.success_doc,
        ppo={
            "environments": "16",
            "rollout_steps": "128",
            "minibatch_size": "256",
            "learning_rate": "5e-4",
            "discount": "0.98",
            "initial_log_std": "-0.5",
        },
        rewards=aim.rewards,
        copied={f"model/{place}": file for place, file in files.items()},
        notes=notes,
    )


def _compile(path: Path, edits: list[str], floating: bool) -> tuple[Any, str | None, Anatomy]:
    """The compiled model with ``edits`` (lines of ``edit_model``, which are added), and the name of
    its home keyframe."""
    import mujoco

    from reward_synth.simulation.model_source import read_model

    def compiled() -> Any:
        spec = read_model(path, floating=floating)
        try:
            exec("\n".join(edits), {"spec": spec, "mujoco": mujoco})  # lines written below
            return spec.compile()
        except ValueError as error:
            raise UserError(f"{path}: {' '.join(str(error).split())}") from None

    model = compiled()
    if model.nu == 0:
        edits += _actuators(model)
        model = compiled()
    # A model may reserve keyframes that it does not write.
    names = [key.name for key in read_model(path).keys]
    home = "home" if "home" in names else (names[0] if names else None)
    if home == "":
        edits.append('spec.keys[0].name = "start"')
        model, home = compiled(), "start"
    parts = dissect(
        model, names.index(home) if home in names else (0 if names else None), str(path)
    )
    if parts.floating and not parts.has_floor:
        edits.append(
            'spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, '
            "size=[0, 0, 0.05])"
        )
        edits.append("spec.worldbody.add_light(pos=[0, 0, 4], dir=[0, 0, -1])")
        if home is None:
            raised = parts.home_height - parts.lowest
            edits.append(f"spec.body({quoted(parts.root)}).pos[2] = {raised:.4g}")
    if home is None and _all_positions(model):
        plain = compiled()
        qpos = plain.qpos0.copy()
        for j in range(plain.njnt):
            if plain.jnt_type[j] >= 2 and plain.jnt_limited[j]:
                at = plain.jnt_qposadr[j]
                qpos[at] = min(max(qpos[at], plain.jnt_range[j, 0]), plain.jnt_range[j, 1])
        values = textwrap.fill(", ".join(f"{value:.4g}" for value in qpos), 86)
        listed = values.replace("\n", "\n        ")
        edits.append(f'spec.add_key(\n    name="home",\n    qpos=[\n        {listed}\n    ],\n)')
        home = "home"
    if edits:
        edits[:] = [line for edit in edits for line in edit.split("\n")]
        model = compiled()
        key = None if home is None else [model.key(i).name for i in range(model.nkey)].index(home)
        parts = dissect(model, key, str(path))
    return model, home, parts


def _actuators(model: Any) -> list[str]:
    """Lines that add a position actuator for each named scalar joint."""
    lines = []
    for j in range(model.njnt):
        name = model.joint(j).name
        if model.jnt_type[j] < 2 or not name:
            continue
        low, high = model.jnt_range[j] if model.jnt_limited[j] else (-3.14, 3.14)
        target = quoted(name)
        lines.append(
            f"actuator = spec.add_actuator(name={target}, target={target}, "
            "trntype=mujoco.mjtTrn.mjTRN_JOINT)\n"
            f"actuator.set_to_position(kp={STIFFNESS}, kv={DAMPING})\n"
            f"actuator.ctrlrange = [{low:.4g}, {high:.4g}]\nactuator.ctrllimited = True"
        )
    return lines


def _all_positions(model: Any) -> bool:
    from reward_synth.simulation.control import driven_joint, is_position

    return model.nu > 0 and all(
        driven_joint(model, i) is not None and is_position(model, i) for i in range(model.nu)
    )


def _joint_words(joint: JointFacts) -> str:
    limits = "" if joint.limits is None else f" {joint.limits[0]:.3g} to {joint.limits[1]:.3g}"
    return f"{joint.name}{limits} (start {joint.home:.3g})"


def _variables(parts: Anatomy) -> list[VariableDraft]:
    found: list[VariableDraft] = []
    root = quoted(parts.root)

    def add(name: str, doc: str, unit: str, binding: str, public: bool = True) -> None:
        if name not in {variable.name for variable in found}:
            found.append(VariableDraft(name, doc, unit, binding, public))

    if parts.floating:
        add(
            "root_pose",
            f"position and quaternion of {parts.root}",
            "m and 1",
            f"JointPosition(body={root})",
            False,
        )
        add(
            "root_velocity",
            f"velocity of {parts.root}: linear in the world, angular in its frame",
            "m/s and rad/s",
            f"JointVelocity(body={root})",
            False,
        )
        add(
            "root_height",
            f"height of {parts.root}; {parts.home_height:.3g} at the start, fallen "
            f"below {FALLEN_SHARE * parts.home_height:.3g}",
            "m",
            'Derived(lambda v, xp: v["root_pose"][:, 2])',
        )
        add(
            "forward_position",
            f"position of {parts.root} along x",
            "m",
            'Derived(lambda v, xp: v["root_pose"][:, 0])',
        )
        add(
            "forward_velocity",
            f"velocity of {parts.root} along the world's x",
            "m/s",
            'Derived(lambda v, xp: v["root_velocity"][:, 0])',
        )
        add(
            "body_velocity",
            f"linear velocity of {parts.root} in its own frame: forward, left, up",
            "m/s",
            'Derived(lambda v, xp: into_body(v["root_pose"], v["root_velocity"][:, :3], xp))',
        )
        add(
            "body_turning",
            f"angular velocity of {parts.root} in its own frame: roll, pitch, yaw",
            "rad/s",
            'Derived(lambda v, xp: v["root_velocity"][:, 3:])',
        )
        add(
            "projected_gravity",
            f"direction of gravity in the frame of {parts.root}; (0, 0, -1) is upright",
            "-1 to 1",
            'Derived(lambda v, xp: down(v["root_pose"], xp))',
        )
    else:
        add(
            "root_position",
            f"position of {parts.root}",
            "m",
            f'Sensor("framepos", {root}, "xbody")',
        )
        if parts.forward_slide:
            add(
                "forward_position",
                f"position of {parts.root} along x",
                "m",
                'Derived(lambda v, xp: v["root_position"][:, 0])',
            )
            add(
                "forward_velocity",
                f"velocity of {parts.root} along x",
                "m/s",
                f'Sensor("framelinvel", {root}, "xbody", component=0)',
            )
    if parts.joints:
        names = ", ".join(quoted(joint.name) for joint in parts.joints)
        slides = {joint.slides for joint in parts.joints}
        unit = "rad" if slides == {False} else "m" if slides == {True} else "rad and m"
        add(
            "joint_angles",
            "positions of the joints, by entry: "
            + "; ".join(_joint_words(joint) for joint in parts.joints),
            unit,
            f"JointPosition({names})",
        )
        add(
            "joint_velocities",
            "velocities of the same joints, in the same order",
            unit.replace("rad", "rad/s").replace("m", "m/s"),
            f"JointVelocity({names})",
        )
    places = [(name, "xbody") for name in (*parts.tips, *parts.objects)]
    for name, kind in [*places, *parts.goals.items()]:
        add(
            f"{identifier(name)}_position",
            f"position (x, y, z) of {name}",
            "m",
            f'Sensor("framepos", {quoted(name)}, "{kind}")',
        )
    pairs = [(a, b) for a in parts.tips for b in parts.objects]
    pairs += [(a, b) for a in parts.objects for b in parts.goals]
    if not parts.objects:
        pairs += [(a, b) for a in parts.tips for b in parts.goals]
    for a, b in pairs:
        one, other = identifier(a), identifier(b)
        add(
            f"{one}_to_{other}",
            f"vector from {a} to {b}; its length is the distance",
            "m",
            f'Derived(lambda v, xp: v["{other}_position"] - v["{one}_position"])',
        )
    for name in parts.objects:
        add(
            f"{identifier(name)}_velocity",
            f"linear velocity of {name}, then angular in its frame",
            "m/s and rad/s",
            f"JointVelocity(body={quoted(name)})",
        )
    for name in parts.sensors[:MOST_SENSORS]:
        add(
            f"sensor_{identifier(name)}",
            f"the model's sensor {name}",
            "SI",
            f"ModelSensor({quoted(name)})",
        )
    return found


def _observation(variables: list[VariableDraft], parts: Anatomy) -> list[str]:
    left_out = re.compile(r"root_pose|root_velocity|forward_position|forward_velocity|sensor_.*")
    names = [v.name for v in variables if not left_out.fullmatch(v.name)]
    return names if not parts.floating else [*names, "action"]
