# Leave a pipe that blocks whoever opens it.
# ends: PermissionError
import os

os.mkfifo("policy.safetensors")
