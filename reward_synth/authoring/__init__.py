"""Makes task folders: from a model's file, or from the id of an environment that others wrote."""
