# Leave a key in the kernel.
# ends: PermissionError
syscall(X86["add_key"], b"user", b"x", b"y", 1, -3)
