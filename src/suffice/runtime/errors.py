"""The error that says the user's data, not the user's call, is at fault."""


class DataError(ValueError):
    """Bad data found in the user's input: the message names the source, the column, the row and the value."""
