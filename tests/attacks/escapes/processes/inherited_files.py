# Find something open that it may read or write, but its pipe and nothing.
# ends: AssertionError
import os, stat

found = []
for number in range(256):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    if stat.S_ISREG(mode) and number not in OWN or stat.S_ISSOCK(mode) or stat.S_ISDIR(mode):
        found.append(number)
assert found
