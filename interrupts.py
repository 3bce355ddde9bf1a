"""Ctrl-C, SIGTERM and a closed terminal: at once while nothing can be lost, else after saving."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# What is done between two looks at whether a signal has come should take about so long, in seconds.
LOOK_UP_AFTER = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal that ends the program at once. Like KeyboardInterrupt, no error to be caught."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
        self.way_on = ""  # what to do then


class Interrupts:
    """Answers the signals for as long as it is open."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.deferring = False

    def __enter__(self) -> "Interrupts":
        self.previous = {
            number: signal.signal(number, self.answer)
            for number in SIGNALS
            # nohup has a terminal's end ignored, and so it stays.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
        }
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def answer(self, signal_number: int, frame: FrameType | None) -> None:
        """Takes note of the first signal where it is deferred; else ends the program."""
        if not self.deferring or self.received is not None:
            for number in self.previous:
                signal.signal(number, signal.SIG_IGN)  # one is enough, and the end is under way
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


class Pace:
    """How much to do at a time, so that a signal is answered soon whatever is trained or tested."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.amount, self.most = 1, most

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Takes the time of what is done inside, `amount` of it, and sets how much is next."""
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        if seconds > LOOK_UP_AFTER:
            self.amount = max(self.amount // 2, 1)
        elif seconds < LOOK_UP_AFTER / 2:
            self.amount = min(2 * self.amount, self.most)
