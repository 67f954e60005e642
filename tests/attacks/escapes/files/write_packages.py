# Change the code that later jobs run.
# ends: PermissionError
import sandbox.probe

open(sandbox.probe.__file__, "a")
