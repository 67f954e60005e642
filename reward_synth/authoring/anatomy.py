"""What a MuJoCo model is made of: the robot, its root, tips, objects and goals."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reward_synth.errors import UserError

MOST_TIPS = 5
"""Leaf bodies that get a variable: the feet of most robots, the fingers of a hand."""
_GOAL = re.compile(r"target|goal", re.IGNORECASE)


@dataclass(frozen=True)
class JointFacts:
    """A scalar joint of the robot."""

    name: str
    slides: bool
    limits: tuple[float, float] | None
    """rad or m; None where it has none."""
    home: float


@dataclass(frozen=True)
class Anatomy:
    """Parts of a compiled model by name."""

    root: str
    floating: bool
    """Whether the root has a free joint."""
    forward_slide: bool
    """Whether a planar robot's root slides along x."""
    joints: tuple[JointFacts, ...]
    tips: tuple[str, ...]
    objects: tuple[str, ...]
    """Free bodies that are not the robot."""
    goals: Mapping[str, str]
    """``xbody`` or ``site`` by the name of what marks a place."""
    sensors: tuple[str, ...]
    """Declared by the model."""
    home_height: float
    """Of the root at the start, m."""
    lowest: float
    """Lowest point of the robot's geoms at the start, m."""
    has_floor: bool


def dissect(model: Any, key: int | None, where: str) -> Anatomy:
    """Find the parts of a compiled model, posed as in keyframe ``key`` (its own start if None).

    Raises:
        UserError: nothing in it is actuated, or the robot's root has no name.
    """
    import mujoco

    data = mujoco.MjData(model)
    if key is None:
        mujoco.mj_resetData(model, data)
    else:
        mujoco.mj_resetDataKeyframe(model, data, key)
    mujoco.mj_forward(model, data)
    driven = _driven_joints(model)
    if not driven:
        raise UserError(f"{where}: no joint is actuated, so there is nothing to learn")
    trees = [int(model.body_rootid[model.jnt_bodyid[joint]]) for joint in driven]
    root = max(sorted(set(trees)), key=trees.count)
    own = [b for b in range(1, model.nbody) if model.body_rootid[b] == root]
    free = {int(model.jnt_bodyid[j]) for j in range(model.njnt) if model.jnt_type[j] == 0}
    name = model.body(root).name
    if not name:
        raise UserError(f"{where}: the robot's root body has no name; give it one")
    parents = {int(model.body_parentid[b]) for b in own}
    tips = [b for b in own if b not in parents and model.body_geomnum[b] and model.body(b).name]
    scalar = [
        j
        for j in range(model.njnt)
        if int(model.body_rootid[model.jnt_bodyid[j]]) == root
        and model.jnt_type[j] >= 2
        and model.joint(j).name
    ]
    goals = {
        model.body(b).name: "xbody"
        for b in range(1, model.nbody)
        if model.body(b).name
        and (model.body_mocapid[b] >= 0 or _GOAL.search(model.body(b).name))
        and b not in free
        and model.body_rootid[b] != root
    }
    goals |= {
        model.site(s).name: "site"
        for s in range(model.nsite)
        if _GOAL.search(model.site(s).name) and model.body_rootid[model.site_bodyid[s]] != root
    }
    bottoms = [
        float(data.geom_xpos[g, 2] - model.geom_rbound[g])
        if model.geom_type[g] == mujoco.mjtGeom.mjGEOM_SPHERE
        else _bottom(model, data, g)
        for g in range(model.ngeom)
        if model.geom_bodyid[g] in own and (model.geom_contype[g] or model.geom_conaffinity[g])
    ]
    planes = (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD)
    return Anatomy(
        root=name,
        floating=root in free,
        forward_slide=any(
            model.jnt_type[j] == 2
            and abs(model.jnt_axis[j, 0]) > 0.9
            and int(model.jnt_bodyid[j]) == root
            and j not in driven
            for j in scalar
        ),
        joints=tuple(
            JointFacts(
                model.joint(j).name,
                int(model.jnt_type[j]) == 2,
                (float(model.jnt_range[j, 0]), float(model.jnt_range[j, 1]))
                if model.jnt_limited[j]
                else None,
                float(data.qpos[model.jnt_qposadr[j]]),
            )
            for j in scalar
        ),
        tips=tuple(model.body(b).name for b in tips[:MOST_TIPS] if b != root),
        objects=tuple(model.body(b).name for b in sorted(free - {root}) if model.body(b).name),
        goals=dict(sorted(goals.items(), key=lambda item: not _GOAL.search(item[0]))),
        sensors=tuple(s for i in range(model.nsensor) if (s := model.sensor(i).name)),
        home_height=float(data.xpos[root, 2]),
        lowest=min(bottoms, default=0.0),
        has_floor=any(model.geom_type[g] in planes for g in range(model.ngeom)),
    )


def _driven_joints(model: Any) -> list[int]:
    """Joints that actuators drive, through tendons as well."""
    import mujoco

    found: set[int] = set()
    for i in range(model.nu):
        target = int(model.actuator_trnid[i, 0])
        kind = mujoco.mjtTrn(int(model.actuator_trntype[i]))
        if kind in (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT):
            found.add(target)
        elif kind == mujoco.mjtTrn.mjTRN_TENDON:
            begin = int(model.tendon_adr[target])
            for w in range(begin, begin + int(model.tendon_num[target])):
                wrapped = int(model.wrap_objid[w])
                wrap = mujoco.mjtWrap(int(model.wrap_type[w]))
                if wrap == mujoco.mjtWrap.mjWRAP_JOINT:
                    found.add(wrapped)
                elif wrap == mujoco.mjtWrap.mjWRAP_SITE:
                    body = int(model.site_bodyid[wrapped])
                    first = int(model.body_jntadr[body])
                    found.update(range(first, first + int(model.body_jntnum[body])))
    return sorted(found)


def _bottom(model: Any, data: Any, geom: int) -> float:
    """Lowest point of a geom's bounding box, m."""
    center, half = model.geom_aabb[geom, :3], model.geom_aabb[geom, 3:]
    up = data.geom_xmat[geom].reshape(3, 3)[2]
    return float(data.geom_xpos[geom, 2] + up @ center - abs(up) @ half)
