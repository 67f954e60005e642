"""Many searches that share a machine: planned together, run side by side, told in one table."""
