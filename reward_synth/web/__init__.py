"""The feedback and dashboard pages."""
