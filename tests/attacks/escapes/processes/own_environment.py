# Find a key in its own environment.
# ends: AssertionError
import os

assert any("canary" in value for value in os.environ.values())
