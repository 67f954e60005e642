"""MuJoCo Warp's physics for many environments of one model, as torch tensors.

The tensors are views of Warp's arrays, so nothing is copied between the two.  A physics step is
one launch of a captured graph; on CUDA it goes to PyTorch's current stream, in order with whatever
PyTorch does.  Compiled kernels are kept in the folder that the environment variable
``WARP_CACHE_PATH`` names (Warp's own default is in the home directory).  They do not depend on the
number of environments: a simulator of one fills the folder for all of the same task and device,
which may then only read it.
"""

import gc
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import mujoco
import numpy as np
import torch

from reward_synth.errors import UserError

DEVICES = re.compile(r"cpu|cuda(:\d+)?")
LEAST_CONTACTS, LEAST_ROWS = 24, 64
"""Room for contacts and constraint rows that every environment gets, where so many can be."""
MARGIN = 4
"""Room for so many times the contacts and constraint rows that a trial on the processor met."""
TRIAL_STEPS = 2000
"""Physics steps of that trial: random actions, and nobody picks the robot up when it falls."""
OTHER_CONTACTS = 50
"""MuJoCo's limit for any two geoms."""
CHECK_EVERY = 256
"""Control steps between two looks at whether that room was enough."""

_Geom = mujoco.mjtGeom
_MOST_CONTACTS = {
    (_Geom.mjGEOM_PLANE, _Geom.mjGEOM_SPHERE): 1,
    (_Geom.mjGEOM_PLANE, _Geom.mjGEOM_CAPSULE): 2,
    (_Geom.mjGEOM_PLANE, _Geom.mjGEOM_ELLIPSOID): 1,
    (_Geom.mjGEOM_SPHERE, _Geom.mjGEOM_SPHERE): 1,
    (_Geom.mjGEOM_SPHERE, _Geom.mjGEOM_CAPSULE): 1,
    (_Geom.mjGEOM_SPHERE, _Geom.mjGEOM_CYLINDER): 1,
    (_Geom.mjGEOM_SPHERE, _Geom.mjGEOM_BOX): 1,
    (_Geom.mjGEOM_CAPSULE, _Geom.mjGEOM_CAPSULE): 2,
    (_Geom.mjGEOM_CAPSULE, _Geom.mjGEOM_BOX): 2,
}
"""Contacts that two geoms of such types can have at once; of others, ``OTHER_CONTACTS``."""


class WarpPhysics:
    """The state of ``num_envs`` environments on a device, and how it advances.

    Tensors, float32, with leading axis ``N``: ``qpos``, ``qvel``, ``act``, ``ctrl``, ``time``,
    ``warmstart`` (the last accelerations, which the constraint solver starts from) and
    ``sensordata`` (at the start of the last control step's last substep).

    Args:
        model: the compiled model.
        num_envs: environments.
        substeps: physics steps of a control step.
        device: "cpu" (Warp's own, slow) or "cuda:K".
        where: begins error messages about the model.
        varied: fields of the model that differ between environments, as
            :class:`reward_synth.simulation.randomisation.Variation` names them; ``fields`` has
            them as tensors ``(N, …)``.

    Raises:
        UserError: there is no such device, or MuJoCo Warp is missing or lacks something that
            the model needs.
        RuntimeError: among others, when the device's memory is too small.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        num_envs: int,
        substeps: int,
        device: str,
        where: str,
        varied: Sequence[str] = (),
    ) -> None:
        warp, mjw = load_warp(device)
        self._warp, self._mjw = warp, mjw
        self._device: Any = warp.get_device(device)
        self._torch_device = torch.device(device)
        self._substeps = substeps
        self._graphs: tuple[Any, ...] = ()
        self._stream: Any = None
        refuse_unsupported(model, where)
        with warp.ScopedDevice(self._device):
            try:
                self._model = mjw.put_model(model)
            except (NotImplementedError, ValueError) as error:
                reason = " ".join(str(error).split())
                raise UserError(
                    f"{where}: MuJoCo Warp cannot simulate this model: {reason}; "
                    "change it in edit_model, or use the device cpu"
                ) from None
            # The device prints from its kernels; `overflow` says it once, in words.
            self._model.opt.warn_overflow = False
            self._model.opt.graph_conditional &= (
                self._device.is_cpu or warp.is_conditional_graph_supported()
            )
            self.contacts, self.rows = room(model, self._model.nxn_geom_pair_filtered.numpy())
            self._data = mjw.make_data(
                model, nworld=num_envs, nconmax=self.contacts, njmax=self.rows
            )
            self._sensors = warp.zeros_like(self._data.sensordata)
            self.fields: dict[str, torch.Tensor] = {
                name: self._varied(name, num_envs) for name in varied
            }
        data, view = self._data, self._view
        self.qpos: torch.Tensor = view(data.qpos)
        self.qvel: torch.Tensor = view(data.qvel)
        self.act: torch.Tensor = view(data.act)
        self.ctrl: torch.Tensor = view(data.ctrl)
        self.time: torch.Tensor = view(data.time)
        self.warmstart: torch.Tensor = view(data.qacc_warmstart)
        self.sensordata: torch.Tensor = view(self._sensors)
        self.mocap: tuple[torch.Tensor, ...] = ()
        """Positions ``(N, nmocap, 3)`` and quaternions ``(N, nmocap, 4)`` of mocap bodies."""
        if model.nmocap:
            self.mocap = view(data.mocap_pos), view(data.mocap_quat)
        self._overflow: torch.Tensor = view(data.overflow)
        self._integrate = {
            mujoco.mjtIntegrator.mjINT_EULER: mjw.euler,
            mujoco.mjtIntegrator.mjINT_RK4: mjw.rungekutta4,
            mujoco.mjtIntegrator.mjINT_IMPLICIT: mjw.implicit,
            mujoco.mjtIntegrator.mjINT_IMPLICITFAST: mjw.implicit,
        }[mujoco.mjtIntegrator(model.opt.integrator)]
        try:
            self._capture()
        except OSError as error:
            raise _no_kernel_cache(error) from None
        self._watch = _Watch(self._overflow)

    def _varied(self, name: str, num_envs: int) -> torch.Tensor:
        """A field of the model with an entry for each environment, as a tensor."""
        owner = self._model.opt if name == "gravity" else self._model
        shared = getattr(owner, name)
        values = np.repeat(shared.numpy()[:1], num_envs, axis=0)
        own = self._warp.array(values, dtype=shared.dtype, device=self._device)
        setattr(owner, name, own)
        return self._warp.to_torch(own)

    def _view(self, array: Any) -> torch.Tensor:
        if not array.size:
            # An empty array has no address, which PyTorch takes for one of the host's.
            return torch.empty(array.shape, device=self._torch_device)
        return self._warp.to_torch(array)

    def advance(self) -> None:
        """One control step of every environment, under ``ctrl``."""
        stream = self._current_stream() if self._device.is_cuda else None
        if self._graphs:
            between, last = self._graphs
            for _ in range(self._substeps - 1):
                self._warp.capture_launch(between, stream=stream)
            self._warp.capture_launch(last, stream=stream)
        else:
            with self._warp.ScopedStream(stream, sync_enter=False):
                for left in reversed(range(self._substeps)):
                    self._substep(last=not left)
        if self._watch.found():
            self._warn()

    def close(self) -> None:
        """Say what was not said yet, and let go of the device's memory."""
        if not self._watch.said:
            self._warn()
        self._graphs = ()

    def _warn(self) -> None:
        message = self.overflow()
        if message is not None:
            warnings.warn(message, RuntimeWarning, stacklevel=4)

    def overflow(self) -> str | None:
        """What did not fit into the room for contacts and constraints so far, in words.

        None when everything fitted.  Waits for the device.
        """
        found = int(self._overflow.count_nonzero())
        if not found:
            return None
        return (
            f"in {found} of {len(self._overflow)} environments more things touched than there was "
            f"room for ({self.contacts} contacts and {self.rows} constraint rows each), and the "
            "rest was left out, so robots may sink into things; simulate this task on the device "
            "cpu, or change its model so that less can touch at once"
        )

    def _substep(self, *, last: bool) -> None:
        """Launch the kernels of one physics step.

        Sensors are computed where MuJoCo on the processor reports them: at the start of a control
        step's last substep.  Runge-Kutta's inner evaluations would overwrite them.
        """
        mjw, model, data = self._mjw, self._model, self._data
        flags = model.opt.disableflags
        without_sensors = flags | int(mujoco.mjtDisableBit.mjDSBL_SENSOR.value)
        try:
            model.opt.disableflags = flags if last else without_sensors
            mjw.forward(model, data)
            if last and self._sensors.size:
                self._warp.copy(self._sensors, data.sensordata)
            model.opt.disableflags = without_sensors
            self._integrate(model, data)
        finally:
            model.opt.disableflags = flags

    def _capture(self) -> None:
        """Compile and load the kernels, and capture the two kinds of substep.

        On a GPU that has no memory pools nothing is captured, because a substep allocates.
        """
        warp, device = self._warp, self._device
        with warp.ScopedDevice(device):
            # A first step compiles and loads the kernels; old drivers cannot while they capture.
            self._substep(last=True)
            warp.synchronize_device(device)
            if device.is_cuda:
                # What is collected during a capture might free memory, which ends the capture.
                gc.collect()
            if device.is_cpu or warp.is_mempool_enabled(device):
                self._graphs = tuple(self._captured(last) for last in (False, True))
            self._overflow.zero_()
            warp.synchronize_device(device)

    def _captured(self, last: bool) -> Any:
        with self._warp.ScopedCapture(device=self._device) as capture:
            self._substep(last=last)
        return capture.graph

    def _current_stream(self) -> Any:
        """PyTorch's current stream, as Warp's."""
        stream = torch.cuda.current_stream(self._torch_device)
        if self._stream is None or self._stream.cuda_stream != stream.cuda_stream:
            self._stream = self._warp.stream_from_torch(stream)
        return self._stream


class _Watch:
    """Looks at an array on a device now and then, without ever waiting for it."""

    def __init__(self, array: torch.Tensor) -> None:
        self._array = array
        self._steps = 0
        self.said = False
        self._seen = torch.zeros((), dtype=torch.bool, pin_memory=array.is_cuda)
        self._arrival: Any = None

    def found(self) -> bool:
        """Whether an entry was seen that is not 0; True once at most."""
        self._steps += 1
        if self.said:
            return False
        if self._steps % CHECK_EVERY == 0 and self._arrival is None:
            self._seen.copy_(self._array.any(), non_blocking=True)
            if self._array.is_cuda:
                self._arrival = torch.cuda.Event()
                self._arrival.record(torch.cuda.current_stream(self._array.device))
        if self._arrival is not None:
            if not self._arrival.query():
                return False
            self._arrival = None
        # On the processor, or arrived: no wait either way.
        self.said = bool(self._seen)
        return self.said


def load_warp(device: str) -> tuple[ModuleType, ModuleType]:
    """Warp and MuJoCo Warp, quiet, after checking that there is such a device.

    Raises:
        UserError: there is none, or MuJoCo Warp is not installed.
    """
    if not DEVICES.fullmatch(device):
        raise UserError(f"unknown device {device!r}; give cpu, cuda or cuda:0, cuda:1, …")
    if device != "cpu":
        _check_cuda(device)
    try:
        import mujoco_warp
        import warp
    except ImportError:
        raise UserError(
            "simulating with MuJoCo Warp needs the extra gpu: pip install 'reward-synth[gpu]'"
        ) from None
    warp.config.log_level = warp.LOG_WARNING
    try:
        warp.init()
    except OSError as error:
        raise _no_kernel_cache(error) from None
    if device != "cpu" and not warp.is_cuda_available():
        raise UserError(
            f"there is no device {device} for Warp: its CUDA driver is missing or too old; "
            "update it, or use the device cpu"
        )
    return warp, mujoco_warp


def _no_kernel_cache(error: OSError) -> UserError:
    return UserError(
        f"Warp cannot keep its compiled kernels: {error}; name a folder that can be written, or "
        "that holds them all, in the environment variable WARP_CACHE_PATH"
    )


def _check_cuda(device: str) -> None:
    if torch.version.cuda is None:
        raise UserError(
            f"there is no device {device}: PyTorch {torch.__version__} is built without CUDA; "
            "install one that has it (https://pytorch.org), or use the device cpu"
        )
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        raise UserError(
            f"there is no device {device}: no CUDA driver or GPU was found; use the device cpu"
        )
    if int(device.removeprefix("cuda").removeprefix(":") or 0) >= count:
        raise UserError(
            f"there is no device {device}: the last one is cuda:{count - 1}; use that one"
        )


def refuse_unsupported(model: mujoco.MjModel, where: str) -> None:
    """Refuse what MuJoCo Warp simulates but a snapshot of this simulator would not hold.

    Raises:
        UserError: the model has delays, or puts what rests to sleep.
    """
    asleep = model.opt.enableflags & int(mujoco.mjtEnableBit.mjENBL_SLEEP.value)
    for found, name in ((model.nhistory, "delays of actuators or sensors"), (asleep, "sleeping")):
        if found:
            raise UserError(f"{where}: the model has {name}, which only the device cpu simulates")


def room(model: mujoco.MjModel, pairs: np.ndarray) -> tuple[int, int]:
    """Contacts and constraint rows per environment to make room for.

    As many as there can ever be, or several times what a trial on the processor met.

    Args:
        model: the compiled model.
        pairs: ``(P, 2)`` geoms that may touch.
    """
    types, sizes = model.geom_type, model.geom_condim
    elliptic = model.opt.cone == mujoco.mjtCone.mjCONE_ELLIPTIC
    contacts = rows = 0
    for first, second in pairs.tolist():
        kinds = tuple(sorted((_Geom(types[first]), _Geom(types[second])), key=int))
        count = _MOST_CONTACTS.get(kinds, OTHER_CONTACTS)
        size = max(int(sizes[first]), int(sizes[second]), *model.pair_dim.tolist(), 1)
        contacts += count
        rows += count * (size if elliptic or size == 1 else 2 * (size - 1))
    most = Counter(contacts=contacts, rows=rows + _other_rows(model))
    if model.nflex:
        most = Counter(contacts=10**6, rows=10**6)
    met = _trial(model)
    return (
        max(1, min(most["contacts"], max(LEAST_CONTACTS, MARGIN * met["contacts"]))),
        max(1, min(most["rows"], max(LEAST_ROWS, MARGIN * met["rows"]))),
    )


def _other_rows(model: mujoco.MjModel) -> int:
    """Constraint rows that are not of contacts, at most: equalities, friction, limits."""
    frictions = np.count_nonzero(model.dof_frictionloss) + np.count_nonzero(
        model.tendon_frictionloss
    )
    # A joint's or tendon's two limits may both be near; an equality has up to six rows.
    limits = 2 * (np.count_nonzero(model.jnt_limited) + np.count_nonzero(model.tendon_limited))
    return int(6 * model.neq + frictions + limits)


def _trial(model: mujoco.MjModel) -> Counter[str]:
    """The most contacts and constraint rows under random actions."""
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    limited = model.actuator_ctrllimited.astype(bool)
    low = np.where(limited, model.actuator_ctrlrange[:, 0], -1.0)
    high = np.where(limited, model.actuator_ctrlrange[:, 1], 1.0)
    met: Counter[str] = Counter()
    for step in range(TRIAL_STEPS):
        if step % 10 == 0:
            data.ctrl[:] = rng.uniform(low, high)
        mujoco.mj_step(model, data)
        met |= Counter(contacts=data.ncon, rows=data.nefc)
    return met
