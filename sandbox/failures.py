"""Errors that a job may end with, beside Python's own."""


class NonFiniteError(ArithmeticError):
    """A reward, an observation or a weight became NaN or infinite; the message says which."""
