# Open a socket by the number that the call has for programs with short pointers (x32).
# ends: OSError
syscall(0x40000000 | X86["socket"], 2, 1, 0)
