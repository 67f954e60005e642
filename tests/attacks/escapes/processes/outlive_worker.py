# Ask the kernel to live on when the worker ends.
# ends: PermissionError
PR_SET_PDEATHSIG = 1
syscall(X86["prctl"], PR_SET_PDEATHSIG, 0, 0, 0, 0)
