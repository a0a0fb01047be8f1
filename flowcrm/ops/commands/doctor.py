"""`flowcrm doctor`: tests each part and says what to do."""

import typer
from rich.markup import escape
from rich.table import Table

from flowcrm.ops import doctor as examination
from flowcrm.ops.doctor import Health
from flowcrm.ops.tables import print_table

app = typer.Typer()

_STYLES = {Health.GOOD: "green", Health.DOUBTFUL: "yellow", Health.BAD: "red"}


@app.callback(invoke_without_command=True)
def doctor() -> None:
    """Test each part of this installation and say what to do. Ends with 1 where something does not work."""
    table = Table("part", "", "finding", "what to do")
    findings = list(examination.examine())
    for finding in findings:
        style = _STYLES[finding.health]
        state = f"[{style}]{finding.health.value}[/{style}]"
        table.add_row(finding.part, state, escape(finding.text), escape(finding.remedy))
    print_table(table)
    if any(finding.health is Health.BAD for finding in findings):
        raise typer.Exit(1)
