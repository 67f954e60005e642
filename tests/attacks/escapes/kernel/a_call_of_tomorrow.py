# Make a call that is younger than the list of calls to refuse.
# ends: OSError
syscall(X86["a call of tomorrow"], 0, 0, 0)
