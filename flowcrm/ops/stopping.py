"""Ctrl-C and SIGTERM end a long command in order: what it holds is given back, and it says how to go on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ToldToStop(KeyboardInterrupt):
    """Raised wherever the main thread is. A Ctrl-C to everybody else, so that psycopg and rich tidy up as they do for one."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stoppable(sentence: str) -> Iterator[None]:
    """Say the sentence when told to stop within the block, and exit as shells expect: 130 after SIGINT, 143 after SIGTERM.

    The second signal ends the process at once, in case the first one's tidying up takes too long.
    """
    before = {number: signal.signal(number, _stop) for number in _SIGNALS}
    try:
        yield
    except ToldToStop as told:
        typer.echo(sentence, err=True)
        raise typer.Exit(128 + told.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_DFL)
    raise ToldToStop(number)
