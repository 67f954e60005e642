# Turn off the randomness of addresses.
# ends: PermissionError
syscall(X86["personality"], 0x0040000)
