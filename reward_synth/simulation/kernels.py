"""``python -m reward_synth.simulation.kernels TASK DEVICE``: compile what a device needs.

The kernels go to the folder that ``WARP_CACHE_PATH`` names; they depend on the task and the device,
not on the number of environments.
"""

import sys

from reward_synth.errors import RunError, UserError
from reward_synth.simulation import open_simulator
from reward_synth.task import load_task


def main() -> None:
    task, device = sys.argv[1:]
    try:
        simulator = open_simulator(load_task(task), 1, device)
        simulator.reset(0)
        simulator.step(simulator.xp.zeros((1, simulator.action_size), **simulator.placement))
        simulator.close()
    except (UserError, RunError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
