# Watch what happens in a folder outside.
# ends: PermissionError
syscall(X86["inotify_init1"], 0)
