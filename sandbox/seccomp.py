"""Filters of system calls that a process puts on itself, for good (Linux's seccomp, mode 2).

A filter is a small program of the kernel's classic BPF over ``struct seccomp_data``: the call's
number, the machine, and the arguments (seccomp(2)).  It asks nobody, so it costs nothing that can
be measured; ``sandlock``'s own filter hands every ``open`` and ``close`` to a supervising process,
which doubles the time that importing torch takes.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence

from sandlock import _sdk as sandlock

ALLOW = 0x7FFF0000
REFUSE = 0x00050000
"""With an error number in the lower half."""
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "riscv64": 0xC00000F3}
"""What ``struct seccomp_data`` calls the machine, which tells calls of its 32-bit sibling apart."""
NUMBER, MACHINE, ARGUMENTS = 0, 4, 16
"""Offsets into ``struct seccomp_data``; an argument is 8 bytes, little-endian."""
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
SET_FILTER, ALL_THREADS = 1, 1
PR_SET_NO_NEW_PRIVS = 38

NEWEST = 469
"""Calls that are younger than this list do not exist for a confined process."""


def number(call: str) -> int | None:
    """A system call's number on this machine; None where there is no such call."""
    found = int(sandlock._lib.sandlock_syscall_nr(call.encode()))
    return found if found >= 0 else None


class Filter:
    """A filter in the making: everything is allowed but what the methods refuse."""

    def __init__(self) -> None:
        try:
            machine = MACHINES[platform.machine()]
        except KeyError:
            raise OSError(
                errno.ENOSYS, f"no filter is known for the processor {platform.machine()}"
            ) from None
        self.code = [
            (LOAD, 0, 0, MACHINE),
            (EQUAL, 1, 0, machine),
            (RETURN, 0, 0, REFUSE | errno.EPERM),
            (LOAD, 0, 0, NUMBER),
            (AT_LEAST, 0, 1, NEWEST + 1),
            (RETURN, 0, 0, REFUSE | errno.ENOSYS),
        ]

    def refuse(self, calls: Sequence[str], error: int = errno.EPERM) -> None:
        """Refuse these calls with that error, whatever their arguments."""
        for call in calls:
            found = number(call)
            if found is not None:
                self.code += [(EQUAL, 0, 1, found), (RETURN, 0, 0, REFUSE | error)]

    def refuse_values(self, call: str, argument: int, values: Sequence[int]) -> None:
        """Refuse a call where its argument of that index is one of these values."""
        self.test(call, argument, [(EQUAL, 0, 1, value) for value in values])

    def refuse_bits(self, call: str, argument: int, bits: int) -> None:
        """Refuse a call where any of these bits of an argument is set."""
        self.test(call, argument, [(ANY_BIT, 0, 1, bits)])

    def require_bits(self, call: str, argument: int, bits: int) -> None:
        """Refuse a call where none of these bits of an argument is set."""
        self.test(call, argument, [(ANY_BIT, 1, 0, bits)])

    def test(self, call: str, argument: int, tests: list[tuple[int, int, int, int]]) -> None:
        """Refuse a call where a test of the lower half of an argument says so."""
        found = number(call)
        if found is None:
            return
        body = [(LOAD, 0, 0, ARGUMENTS + 8 * argument)]
        for test in tests:
            body += [test, (RETURN, 0, 0, REFUSE | errno.EPERM)]
        body.append((LOAD, 0, 0, NUMBER))
        self.code += [(EQUAL, 0, len(body), found), *body]

    def put_on(self) -> None:
        """Put the filter on all threads of the calling process.  Raises OSError."""
        code = [*self.code, (RETURN, 0, 0, ALLOW)]
        packed = b"".join(struct.pack("=HBBI", *one) for one in code)
        memory = ctypes.create_string_buffer(packed, len(packed))
        program = struct.pack("@HP", len(code), ctypes.addressof(memory))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not lock privileges")
        if libc.syscall(number("seccomp"), SET_FILTER, ALL_THREADS, program) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"the kernel takes no filter ({os.strerror(error)})")
