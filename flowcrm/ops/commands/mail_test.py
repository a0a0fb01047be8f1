"""`flowcrm mail-test`: send one email, and say in plain words what is in the way."""

from typing import Annotated

import typer

from flowcrm.ops.errors import Refused
from flowcrm.post.sending import mail_server, post, test_letter
from flowcrm.post.server import Server
from flowcrm.post.smtp import NotSent
from flowcrm.post.trouble import sentence

app = typer.Typer()


@app.callback(invoke_without_command=True)
def mail_test(address: Annotated[str, typer.Argument(help="Where to send it.")]) -> None:
    """Send a test email by the operator's mail server (SMTP_URL). Ends with 1 where it was not taken, and says why."""
    server = mail_server()
    if server is None:
        raise Refused("No mail server is set, so nothing is ever sent. Set SMTP_URL and FLOWCRM_MAIL_FROM.")
    try:
        post(server, address, test_letter())
    except NotSent as error:
        raise Refused(f"{_place(server)}: {sentence(error)}") from None
    typer.echo(
        f"{_place(server)} has taken an email from {server.sender} to {address}. Look into that inbox, and into its spam."
    )


def _place(server: Server) -> str:
    return f"{server.host}:{server.port}"
