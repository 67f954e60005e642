"""The walls around a worker, built with ``sandlock`` (Landlock, seccomp; no root needed).

Two layers, both inherited by everything below them:

1. the worker process: no network, nothing readable but interpreter, packages and task, one
   writable folder, few processes, no core dumps, an environment without secrets;
2. each job's own process inside it (:func:`confine_job`): only that job's folder is writable, no
   signal reaches any other process, root's capabilities are gone, and memory and file size are
   limited.
"""

import ctypes
import errno
import glob
import os
import platform
import resource
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from reward_synth.errors import UserError

Isolation = Literal["strict", "process", "none"]
"""All walls; a process of its own with limits and an empty environment; for debugging, no limits
either, and what it says on standard error is shown."""
IN_REACH: dict[Isolation, str] = {
    "process": "your files, the network and other processes are within reach of generated code",
    "none": "your files, the network and other processes are within reach of generated code, "
    "which nothing limits",
}
"""What is not protected, by level."""

MAX_PROCESSES = 8  # the worker, one job, and room for what a job's libraries may spawn
MAX_FILE_BYTES = 256 * 2**20
MAX_OPEN_FILES = 256
MAX_TASKS = 8192
"""Threads and processes of this user, the orchestrator's included; the kernel exempts root."""
SHARED_BYTES = 8 * 2**30
"""Address space of a job beyond its private memory: libraries, and whatever it maps to share."""
SYSTEM_PATHS = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
    "/dev/null", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo",
    "/sys/devices/system/cpu",
)  # fmt: skip
DENIED_CALLS = (
    # Landlock does not stop changes of a file's owner, mode, times and attributes, nor watching it.
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat",
    "utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr",
    "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
    "inotify_init", "inotify_init1",
    # What a job leaves is read outside: plain files and folders only, no pipes, devices or links.
    "mknod", "mknodat", "symlink", "symlinkat", "link", "linkat",
    # Other processes of the same user: their limits, priorities, processors and memory.
    "prlimit64", "setpriority", "ioprio_set", "sched_setaffinity", "sched_setscheduler",
    "sched_setparam", "sched_setattr", "pidfd_open", "process_madvise", "process_mrelease",
    "migrate_pages", "move_pages",
    # The machine's clock, and corners of the kernel that no job needs.
    "adjtimex", "clock_adjtime", "modify_ldt", "io_setup", "memfd_secret", "sync", "syncfs",
)  # fmt: skip
"""System calls that no worker may make, beside those that sandlock always denies."""
DENIED_WITHOUT_GPU = ("memfd_create",)
"""Memory that no limit of a process counts; a GPU's driver may need it."""
PR_SET_PDEATHSIG = 1
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION = 0x20080522
SYS_SETRLIMIT = {"x86_64": 160}.get(platform.machine(), 164)
"""The system call's number: 164 on all newer architectures."""


class WorkerProcess(Protocol):
    """A running worker, confined or not."""

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO

    def kill(self) -> None: ...
    def wait(self) -> object: ...


def device_nodes(device: str) -> list[str]:
    """The files through which a process reaches a GPU; [] for none."""
    if not device.startswith("cuda"):
        return []
    return sorted(glob.glob("/dev/nvidia*"))


def readable_paths(task_folder: Path, imports: Path, kernels: Path | None) -> list[str]:
    """What a worker may read: interpreter, installed packages, this package and the task."""
    package = Path(__file__).resolve().parent.parent
    paths = [
        *SYSTEM_PATHS,
        sys.prefix,
        sys.base_prefix,
        os.path.realpath(sys.executable),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
        str(package / "reward_synth"),
        str(package / "sandbox"),
        str(task_folder.resolve()),
        str(imports),
        *([str(kernels)] if kernels is not None else []),
    ]
    return [path for path in dict.fromkeys(paths) if os.path.exists(path)]


def environment(imports: Path, device: str, kernels: Path | None) -> dict[str, str]:
    """The whole environment of a worker: nothing is inherited, but which GPUs there are."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES") if device.startswith("cuda") else ""
    extra = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    if kernels is not None:
        extra["WARP_CACHE_PATH"] = str(kernels)
    return extra | {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(imports),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLCONFIGDIR": "/nonexistent",
        # The worker allocates and frees large buffers all the time; keeping them on the heap
        # spares a system call each.
        "MALLOC_MMAP_THRESHOLD_": str(64 * 2**20),
        "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
    }


def link_packages(folder: Path) -> Path:
    """A folder that holds links to the two packages and nothing else, for the worker's path.

    The folder above the packages (a checkout's root, say) stays out of reach: Landlock judges
    the link's target, so only the packages themselves become readable.
    """
    imports = folder / "imports"
    imports.mkdir(exist_ok=True)
    root = Path(__file__).resolve().parent.parent
    for package in ("reward_synth", "sandbox"):
        link = imports / package
        if not link.is_symlink():
            link.symlink_to(root / package, target_is_directory=True)
    return imports


def start_worker(
    task_folder: Path,
    folder: Path,
    isolation: Isolation,
    kinds: Sequence[str],
    device: str = "cpu",
    kernels: Path | None = None,
) -> WorkerProcess:
    """Start ``python -m sandbox.worker``; it may write to ``folder/jobs`` and nowhere else.

    ``kinds`` are the kinds of jobs to make ready for: "probe", "train" and "sb3".  ``device`` is
    where they train, and ``kernels`` the folder that holds compiled kernels for it.
    Raises UserError where the kernel cannot give the isolation that was asked for.
    """
    folder = folder.resolve()
    imports = link_packages(folder)
    writable = folder / "jobs"
    writable.mkdir(exist_ok=True)
    readable = readable_paths(task_folder, imports, kernels)
    nodes = device_nodes(device)
    variables = environment(imports, device, kernels)
    command = [sys.executable, "-P", "-m", "sandbox.worker", isolation, *kinds]
    command += ["--", *readable, "--", *nodes]
    if isolation != "strict":
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if isolation == "none" else subprocess.DEVNULL,
            cwd=writable,
            env=variables,
            start_new_session=True,
        )
        return cast(WorkerProcess, process)
    import sandlock

    walls = sandlock.Sandbox(
        fs_readable=readable,
        fs_writable=[str(writable), os.devnull, *nodes],
        clean_env=True,
        env=variables,
        max_processes=MAX_PROCESSES,
        no_coredump=True,
        extra_deny_syscalls=[*DENIED_CALLS, *(() if nodes else DENIED_WITHOUT_GPU)],
        cwd=str(writable),
    )
    try:
        return cast(
            WorkerProcess,
            walls.popen(
                command,
                stdin=sandlock.StdioMode.PIPED,
                stdout=sandlock.StdioMode.PIPED,
                stderr=sandlock.StdioMode.NULL,
            ),
        )
    except (sandlock.SandlockError, RuntimeError, OSError) as error:
        raise UserError(
            f"this machine cannot confine generated code ({error}): Linux 6.12 or newer with "
            "Landlock is needed; see `reward-synth doctor`, or accept the risk with "
            "--isolation process"
        ) from error


def die_with_parent() -> None:
    """Have the kernel kill the calling process when its parent is gone, however that ended."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def set_limit(limit: int, value: int) -> None:
    """Lower a limit of the calling process for good.

    The C library would use ``prlimit64``, which reaches other processes too and is denied.
    """
    both = (ctypes.c_ulong * 2)(value, value)
    if ctypes.CDLL(None, use_errno=True).syscall(SYS_SETRLIMIT, limit, both) != 0:
        error = ctypes.get_errno()
        if error != errno.EPERM:  # which says that the limit is lower already
            raise OSError(error, os.strerror(error))


def drop_capabilities() -> None:
    """Give up what root may do beyond other users, but for reading files that are not its own."""
    keep = 1 << CAP_DAC_OVERRIDE if os.geteuid() == 0 else 0
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)(keep, keep, 0, 0, 0, 0)  # effective, permitted, inheritable; twice
    if ctypes.CDLL(None, use_errno=True).capset(header, sets) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def confine_job(
    folder: Path,
    readable: Sequence[str],
    nodes: Sequence[str],
    isolation: Isolation,
    memory: int,
) -> None:
    """Put the calling process, which is about to run one job, behind the inner wall.

    ``memory`` is bytes of private writable memory, which does not bound a job on a GPU: a driver
    reserves far more than it uses.  ``nodes`` are the GPU's files.  The process dies with its
    parent.
    """
    die_with_parent()
    if isolation == "none":
        return
    if not nodes:
        set_limit(resource.RLIMIT_DATA, memory)
        set_limit(resource.RLIMIT_AS, memory + SHARED_BYTES)
    set_limit(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    set_limit(resource.RLIMIT_CORE, 0)
    set_limit(resource.RLIMIT_NPROC, MAX_TASKS)
    if isolation == "strict":
        drop_capabilities()
        import sandlock

        sandlock.confine(
            sandlock.Sandbox(
                fs_readable=list(readable), fs_writable=[str(folder), os.devnull, *nodes]
            )
        )


def try_isolation() -> tuple[bool, str]:
    """Tell whether this machine can confine a worker, by confining a small process.

    The process must fail to read a file that the user can read and to connect to a listening
    loopback socket; anything else is no isolation.
    """
    import socket
    import tempfile

    import sandlock

    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener:
        secret = Path(folder) / "secret"
        secret.write_text("secret")
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        program = (
            "import socket, sys\n"
            "leaks = 0\n"
            f"try: open({str(secret)!r}); leaks += 1\n"
            "except OSError: pass\n"
            "try:\n"
            f"    socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 2)\n"
            "    leaks += 2\n"
            "except OSError: pass\n"
            "sys.exit(10 + leaks)\n"
        )
        readable = [path for path in SYSTEM_PATHS if os.path.exists(path)]
        readable += [sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)]
        try:
            walls = sandlock.Sandbox(fs_readable=readable, clean_env=True)
            code = walls.run([sys.executable, "-I", "-c", program], timeout=20.0).exit_code
        except (sandlock.SandlockError, RuntimeError, OSError) as error:
            return False, str(error)
    level = f"Landlock ABI {sandlock.landlock_abi_version()}"
    if code == 10:
        return True, f"files and network are walled off ({level})"
    if code in (11, 12, 13):
        return False, f"a confined process could still reach files or the network ({level})"
    return False, f"a confined process did not start (exit status {code}, {level})"
