# Start a process without the C library: with the flags of a fork, which are no thread's.
# ends: PermissionError
syscall(X86["clone"], 17, 0, 0, 0, 0)
