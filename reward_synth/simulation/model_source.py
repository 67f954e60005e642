"""Reads a model's file into MuJoCo's editable form, MJCF and URDF alike."""

from pathlib import Path
from typing import Any

import mujoco

from reward_synth.errors import UserError
from reward_synth.task.model_files import MESH_FORMATS, mesh_file


def read_model(path: Path, *, floating: bool = False) -> Any:
    """The model as an :class:`mujoco.MjSpec`, meshes of ``package://`` paths found.

    Args:
        path: an MJCF or URDF file.
        floating: give the root link a free joint; MuJoCo fixes a URDF's root to the world.

    Raises:
        UserError: the file is broken, a mesh is missing, or there is no root link to free.
    """
    try:
        spec: Any = mujoco.MjSpec.from_file(str(path))
    except ValueError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    for mesh in spec.meshes:
        if "://" not in mesh.file:
            continue
        found = mesh_file(path, mesh.file)
        if found is None:
            raise UserError(
                f"{path}: there is no mesh {mesh.file}; it was looked for under {path.parent} and "
                "the folders above it"
            )
        if found.suffix.lower() not in MESH_FORMATS:
            raise UserError(
                f"{path}: MuJoCo reads no {found.suffix or 'such'} meshes as {mesh.file}; convert "
                f"it to one of {', '.join(MESH_FORMATS)}"
            )
        mesh.file = str(found)
    if path.suffix.lower() == ".urdf":
        spec.compiler.fusestatic = False  # links that do not move keep their names
    if floating:
        root = spec.worldbody.first_body()
        if root is None or spec.worldbody.geoms:
            raise UserError(f"{path}: the root link is part of the world, so it cannot be freed")
        if not root.joints:
            root.add_freejoint()
    return spec
