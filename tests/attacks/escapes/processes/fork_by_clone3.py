# Start a process by a call whose flags a filter cannot see.
# ends: OSError
from ctypes import c_uint64

syscall(X86["clone3"], (c_uint64 * 8)(0, 0, 0, 0, 17, 0, 0, 0), 64)
