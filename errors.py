"""The errors that end a command, each in one line and with an exit code of its own."""


class RequestError(Exception):
    """The request cannot be met: the flags or the data are wrong. Exit code 2."""


class RunError(Exception):
    """The run failed while it was under way. Exit code 1."""


class Interrupted(BaseException):
    """A signal ended the program at once. Exit code 128 + the signal's number.

    Like KeyboardInterrupt it is no `Exception`, so that nothing handles it by accident.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
        self.advice = ""  # how to continue, for the message
