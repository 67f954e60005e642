# List the folders of this worker's other jobs.
# ends: PermissionError
import os

os.listdir("..")
