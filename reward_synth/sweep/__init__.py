"""Many searches at once: what they are, how they share a machine, and what they say together."""
