"""The two ways a run can end badly, each told to the user in one line."""


class RequestError(Exception):
    """What was asked for cannot be done as asked: flags or data. Exit code 2."""


class RunError(Exception):
    """A run that was under way could not go on. Exit code 1."""
