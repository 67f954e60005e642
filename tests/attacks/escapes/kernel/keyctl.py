# Read the kernel's keys.
# ends: PermissionError
syscall(X86["keyctl"], 0, 0xFFFFFFFD, 1, 0, 0)
