# Make a user namespace, with all rights in it.
# ends: PermissionError
syscall(X86["unshare"], 0x10000000)
