"""The only place where generated code runs: worker, confinement, probe and training."""
