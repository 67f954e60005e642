# Find a process, of all that there are, that it may send a signal to.
# ends: AssertionError
import os

found = []
for process in range(1, 40_000):
    try:
        if process != os.getpid():
            os.kill(process, 0)
            found.append(process)
    except OSError:
        pass
assert found
