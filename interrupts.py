"""Ctrl-C and SIGTERM: at once while nothing can be lost, else after the stretch under way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """A signal that ends the program at once. Like KeyboardInterrupt, no error to be caught."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


class Interrupts:
    """Answers the signals for as long as it is open."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.deferring = False

    def __enter__(self) -> "Interrupts":
        self.previous = {
            number: signal.signal(number, self.answer) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def answer(self, signal_number: int, frame: FrameType | None) -> None:
        """Takes note of the first signal where it is deferred; else ends the program."""
        if not self.deferring or self.received is not None:
            raise Interrupted(signal_number)
        self.received = signal_number

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Only takes note of the first signal while it is open; the second is answered at once."""
        self.deferring = True
        try:
            yield
        finally:
            self.deferring = False

    def stopped(self) -> bool:
        """Whether a signal has been taken note of."""
        return self.received is not None
