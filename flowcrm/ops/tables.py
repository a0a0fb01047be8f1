"""Tables for people at a terminal, and for programs behind a pipe."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table


def print_table(table: Table) -> None:
    """As wide as the terminal. Where there is none, as wide as the table: a pipe has no edge at which words must be broken."""
    console = Console()
    if not console.is_terminal:
        console.width = Measurement.get(console, console.options.update(width=100_000), table).maximum
    console.print(table)
