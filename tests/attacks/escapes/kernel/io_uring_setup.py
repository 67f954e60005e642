# Make system calls that no filter sees.
# ends: PermissionError
syscall(X86["io_uring_setup"], 8, bytes(200))
