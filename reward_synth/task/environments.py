"""Where a task's world comes from: a MuJoCo model, or an environment that somebody else wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class GymnasiumModel:
    """An MJCF file that ships in ``gymnasium`` (its ``envs/mujoco/assets`` folder)."""

    file: str


@dataclass(frozen=True)
class MjcfFile:
    """An MJCF file, relative to the task folder."""

    file: str


@dataclass(frozen=True)
class UrdfFile:
    """A URDF file that MuJoCo reads, relative to the task folder.

    URDF has no actuators: the task's ``edit_model`` adds them.  Of its geometry MuJoCo keeps what
    collides.  A mesh at ``package://PACKAGE/PATH`` is found where the folder of the package is the
    file's own or one above it.

    Args:
        file: the path.
        floating: the root link moves freely, as a legged robot's does; it is fixed to the world
            otherwise.
    """

    file: str
    floating: bool = False


@dataclass(frozen=True)
class VectorEnvironment:
    """A registered environment behind Gymnasium's vector interface.

    Args:
        id: as it is registered, ``Pendulum-v1`` or ``MetaWorld/DrawerOpen-v3``.
        pool: ``gymnasium`` makes it with :func:`gymnasium.make_vec`, in this process; ``envpool``
            with EnvPool's C++ thread pool.
        options: keyword arguments of the environment, as ``gymnasium.make`` or EnvPool take them.
        package: a Python package that registers the id when it is imported.
    """

    id: str
    pool: Literal["gymnasium", "envpool"]
    options: Mapping[str, Any]
    package: str | None

    def __init__(
        self,
        id: str,
        pool: Literal["gymnasium", "envpool"] = "gymnasium",
        *,
        package: str | None = None,
        **options: Any,
    ) -> None:
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "pool", pool)
        object.__setattr__(self, "package", package)
        object.__setattr__(self, "options", options)


@dataclass(frozen=True)
class ManagerBasedEnvironment:
    """A task of Isaac Lab or mjlab, manager-based or (Isaac Lab) direct.

    Args:
        id: as the package registers it, ``Mjlab-Cartpole-Balance``, ``Isaac-Ant-v0``.
        package: whose registry knows the id.
        options: fields of the environment's configuration in place of its own, by dotted path.
    """

    id: str
    package: Literal["mjlab", "isaaclab"] = "mjlab"
    options: Mapping[str, Any] = field(default_factory=dict)


Model = GymnasiumModel | MjcfFile | UrdfFile
Environment = VectorEnvironment | ManagerBasedEnvironment
