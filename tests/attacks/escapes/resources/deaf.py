# Refuse to be stopped.
# ends: time
import signal, time

for number in range(1, 32):
    if number not in (9, 19):
        signal.signal(number, signal.SIG_IGN)
while True:
    time.sleep(1)
