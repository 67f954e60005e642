# Raise the limits that it has.
# ends: PermissionError, ValueError
import resource

resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
