"""Ctrl-C while C code may call Python."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Deferred:
    """Inside of `with Deferred():` Ctrl-C waits; at the end it comes.

    An exception that a handler raises before the first line of a ctypes callback is beyond every `try`, and C code gets a random number as
    the callback's result. Python runs handlers on the main thread only, so on others nothing needs to wait.
    """

    def __enter__(self) -> None:
        self._pending: tuple[int, FrameType | None] | None = None
        self._handler = None
        handler = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
        if callable(handler):
            self._handler = handler
            try:
                signal.signal(signal.SIGINT, self._note)
            except ValueError:  # not the main interpreter, which runs the handlers
                self._handler = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._pending = number, frame

    def __exit__(self, *_: object) -> None:
        if self._handler is None:
            return
        signal.signal(signal.SIGINT, self._handler)
        if self._pending is not None:
            self._handler(*self._pending)
