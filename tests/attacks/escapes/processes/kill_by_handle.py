# Kill the orchestrator by a handle of it.
# ends: PermissionError
import os, signal

signal.pidfd_send_signal(os.pidfd_open(PARENT), 9)
