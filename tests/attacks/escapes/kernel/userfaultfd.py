# Hold the kernel up in the middle of a copy.
# ends: PermissionError
syscall(X86["userfaultfd"], 0)
