"""The walls around a worker: Landlock (by ``sandlock``) and seccomp, without root.

Two layers, which a process puts on itself for good, and which all below it inherit:

1. the worker process (:func:`confine_worker`), before it loads anything: no network, nothing
   readable but interpreter, packages and task, one writable folder, no other program;
2. each job's own process inside it (:func:`confine_job`): only that job's folder is writable, no
   signal reaches any other process, no process can be started, root's capabilities are gone, and
   memory and file size are limited.
"""

import contextlib
import ctypes
import errno
import glob
import importlib.util
import json
import math
import os
import platform
import resource
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol, cast

if TYPE_CHECKING:
    from sandbox.seccomp import Filter

Isolation = Literal["strict", "process", "none"]
"""All walls; a process of its own with limits and an empty environment; for debugging, no limits
either, and what it says on standard error is shown."""
IN_REACH: dict[Isolation, str] = {
    "process": "your files, the network and other processes are within reach of generated code",
    "none": "your files, the network and other processes are within reach of generated code, "
    "which nothing limits",
}
"""What is not protected, by level."""

NEEDED = "Linux 6.12 or newer with Landlock is needed"
"""For all walls."""

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
    # The network, of every family, and what else processes talk through.
    "socket", "socketpair", "shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl",
    "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink",
    # Other programs, and other processes of the same user: their memory, limits, priorities,
    # processors and files.
    "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd",
    "pidfd_open", "process_madvise", "process_mrelease", "migrate_pages", "move_pages",
    "prlimit64", "setpriority", "ioprio_set", "sched_setaffinity", "sched_setscheduler",
    "sched_setparam", "sched_setattr",
    # Landlock does not stop changes of a file's owner, mode, times and attributes, nor watching it.
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat",
    "utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr",
    "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
    "inotify_init", "inotify_init1", "fanotify_init", "name_to_handle_at", "open_by_handle_at",
    # What a job leaves is read outside: plain files and folders only, no pipes, devices or links.
    "mknod", "mknodat", "symlink", "symlinkat", "link", "linkat",
    # File systems, namespaces and the machine as a whole, for root.
    "mount", "umount2", "pivot_root", "chroot", "open_tree", "open_tree_attr", "move_mount",
    "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns", "swapon",
    "swapoff", "quotactl", "quotactl_fd", "acct", "reboot", "kexec_load", "kexec_file_load",
    "init_module", "finit_module", "delete_module", "sethostname", "setdomainname", "syslog",
    "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "ioperm", "iopl", "vhangup",
    # Corners of the kernel that no job needs, and that much has got through elsewhere.
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "io_setup", "add_key", "request_key", "keyctl", "personality",
    "modify_ldt", "lookup_dcookie", "nfsservctl", "uselib", "memfd_secret", "sync", "syncfs",
)  # fmt: skip
"""System calls that no worker may make."""
DENIED_WITHOUT_GPU = ("memfd_create",)
"""Memory that no limit of a process counts; a GPU's driver may need it."""
NEW_NAMESPACES = 0x7E020000  # of clone's flags, those that begin a namespace
SAME_PROCESS = 0x00010000  # of clone's flags: a thread
TERMINAL_INPUT = (0x5412, 0x541C)  # ioctl's TIOCSTI and TIOCLINUX
PR_SET_DUMPABLE, PR_SET_SECUREBITS, PR_SET_PTRACER = 4, 28, 0x59616D61
PR_SET_PDEATHSIG = 1
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION = 0x20080522
SYS_SETRLIMIT = {"x86_64": 160}.get(platform.machine(), 164)
"""The system call's number: 164 on all newer architectures."""


class WorkerProcess(Protocol):
    """A running worker, which can be talked to."""

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
    """What a worker may read: interpreter, installed packages, this package, the task, and the
    files that its model is made of, wherever they lie."""
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
        *map(str, model_sources(task_folder)),
        str(imports),
        *([str(kernels)] if kernels is not None else []),
    ]
    return [path for path in dict.fromkeys(paths) if os.path.exists(path)]


def model_sources(task_folder: Path) -> list[Path]:
    """The files of the models that a task names, one by one."""
    from reward_synth.task.model_files import source_files
    from reward_synth.task.world_source import model_paths

    found = [path for path in model_paths(task_folder) if path.is_file()]
    return [file for path in found for file in source_files(path).values()]


def environment(imports: Path, device: str, kernels: Path | None) -> dict[str, str]:
    """The whole environment of a worker: nothing is inherited, but which GPUs there are."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES") if device.startswith("cuda") else ""
    extra = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    if kernels is not None:
        extra["WARP_CACHE_PATH"] = str(kernels)
    library = glfw_library()
    if library is not None:
        extra["PYGLFW_LIBRARY"] = str(library)
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
        "MUJOCO_GL": "disable",  # importing glfw would start a process
        # mjlab and what it imports would look for these in processes.
        "IMAGEIO_FFMPEG_EXE": "/nonexistent",
        "GIT_PYTHON_REFRESH": "quiet",
        "MJLAB_WARP_QUIET": "1",
        # The worker allocates and frees large buffers all the time; keeping them on the heap
        # spares a system call each.
        "MALLOC_MMAP_THRESHOLD_": str(64 * 2**20),
        "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
    }


def glfw_library() -> Path | None:
    """GLFW's library in its package; None where that is not installed.

    Gymnasium's MuJoCo environments import glfw, which looks for the library in a process of its own
    unless it is named.
    """
    found = importlib.util.find_spec("glfw")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "x11" / "libglfw.so"
    return path if path.is_file() else None


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
    """
    folder = folder.resolve()
    imports = link_packages(folder)
    writable = folder / "jobs"
    writable.mkdir(exist_ok=True)
    readable = readable_paths(task_folder, imports, kernels)
    command = [sys.executable, "-P", "-m", "sandbox.worker", isolation, str(os.getpid()), *kinds]
    command += ["--", *readable, "--", *device_nodes(device)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if isolation == "none" else subprocess.DEVNULL,
        cwd=writable,
        env=environment(imports, device, kernels),
        start_new_session=True,
    )
    return cast(WorkerProcess, process)


def confine_worker(folder: Path, readable: Sequence[str], nodes: Sequence[str]) -> None:
    """Put the calling process behind the outer wall, and try the wall.

    ``folder`` is what stays writable, ``nodes`` are the files of the GPUs that may be used.
    Raises OSError, which says what is missing, where the kernel cannot give it.
    """
    if len(os.listdir("/proc/self/task")) > 1:
        raise OSError("a process with several threads cannot be confined as a whole")
    restrict_files(folder, readable, nodes)
    refuse_calls(nodes).put_on()
    try_walls()


def restrict_files(folder: Path, readable: Sequence[str], nodes: Sequence[str]) -> None:
    """Take away all files but these, and signals to processes outside.  Raises OSError."""
    import sandlock

    writable = [str(folder), os.devnull, *nodes]
    try:
        sandlock.confine(sandlock.Sandbox(fs_readable=list(readable), fs_writable=writable))
    except (sandlock.SandlockError, RuntimeError) as error:
        raise OSError(f"Landlock does not restrict files: {error}") from error


def refuse_calls(nodes: Sequence[str]) -> "Filter":
    """The filter of a worker."""
    from sandbox.seccomp import Filter

    calls = Filter()
    calls.refuse([*DENIED_CALLS, *(() if nodes else DENIED_WITHOUT_GPU)])
    calls.refuse(["clone3"], errno.ENOSYS)  # its flags are out of sight; libraries then use clone
    calls.refuse_bits("clone", 0, NEW_NAMESPACES)
    calls.refuse_values("ioctl", 1, TERMINAL_INPUT)
    calls.refuse_values("prctl", 0, (PR_SET_DUMPABLE, PR_SET_SECUREBITS, PR_SET_PTRACER))
    return calls


def refuse_processes() -> "Filter":
    """The filter that a job has beside its worker's: threads, but no processes of its own.

    Nor may it outlive its worker.
    """
    from sandbox.seccomp import Filter

    calls = Filter()
    calls.refuse(["fork", "vfork"])
    calls.require_bits("clone", 0, SAME_PROCESS)
    calls.refuse_values("prctl", 0, (PR_SET_PDEATHSIG,))
    return calls


def try_walls() -> None:
    """Raise OSError unless the walls stand: no folder but those granted, no socket of any kind."""
    import socket

    leaks: list[str] = []
    with contextlib.suppress(PermissionError):
        os.listdir("/")
        leaks.append("files")
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        with contextlib.suppress(PermissionError):
            socket.socket(family).close()
            leaks.append("the network")
    if leaks:
        raise OSError(f"a confined process could still reach {' and '.join(dict.fromkeys(leaks))}")


def die_with(parent: int) -> None:
    """Have the kernel kill the calling process when that parent is gone, however it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it is gone already
        os._exit(1)


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
    seconds: float,
) -> None:
    """Put the calling process, which is about to run one job, behind the inner wall.

    ``seconds`` are wall-clock: what all cores could do in them is the limit of processor time,
    which holds even when nobody watches the clock any more.  ``memory`` is bytes of private
    writable memory, which does not bound a job on a GPU: a driver reserves far more than it uses.
    ``nodes`` are the GPU's files.
    """
    if isolation == "none":
        return
    if not nodes:
        set_limit(resource.RLIMIT_DATA, memory)
        set_limit(resource.RLIMIT_AS, memory + SHARED_BYTES)
    set_limit(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    set_limit(resource.RLIMIT_CORE, 0)
    set_limit(resource.RLIMIT_CPU, math.ceil(seconds * (os.cpu_count() or 1)) + 1)
    set_limit(resource.RLIMIT_NPROC, MAX_TASKS)
    if isolation == "strict":
        drop_capabilities()
        restrict_files(folder, readable, nodes)
        refuse_processes().put_on()


def try_isolation() -> tuple[bool, str]:
    """Tell whether this machine can confine a worker, by starting one that has no jobs."""
    import tempfile

    import sandlock

    with tempfile.TemporaryDirectory() as folder:
        process = start_worker(Path(folder), Path(folder), "strict", [])
        process.stdin.close()
        said = process.stdout.read()
        process.wait()
    try:
        event = json.loads(said)
    except ValueError:
        return False, "a confined process did not start"
    if event.get("kind") == "ready":
        level = f"Landlock ABI {sandlock.landlock_abi_version()}"
        return True, f"files and network are walled off ({level}, seccomp)"
    return False, str(event.get("message"))
