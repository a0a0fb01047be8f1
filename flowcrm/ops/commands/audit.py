"""`flowcrm audit`: prove that nobody has touched the audit log, and drop what is old."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from flowcrm.lib import clock
from flowcrm.ops.accounts import account_id
from flowcrm.ops.errors import Refused
from flowcrm.store.db import router_rows
from flowcrm.store.queries.audit_proof import Fault, Finding, Proof, prove
from flowcrm.store.writes.audit_chain import ChainBroken, do_prune
from flowcrm.vault.errors import VaultError

app = typer.Typer(no_args_is_help=True, help="Prove the audit log, and drop its oldest part.")

_SENTENCES = {
    Fault.RECORD_CHANGED: "Batch {number}: a record in it was changed.",
    Fault.RECORDS_MISSING: "Batch {number}: {records} of its records are missing.",
    Fault.RECORDS_ADDED: "Batch {number}: {records} records were added to it.",
    Fault.BATCH_CHANGED: "Batch {number}: its own line was changed, so that its MAC does not fit.",
    Fault.BATCH_UNKNOWN: "Batch {number}: {records} records name it, but there is no such batch.",
    Fault.CHAIN_CUT: "Batch {number} does not follow the batch before it: the chain is cut there.",
    Fault.CHAIN_REPLACED: "Batch {number} is not the one that the key store remembers: the chain was cut and grown anew.",
    Fault.WRONG_KEY: "Batch {number} was closed with another key than this account's: it comes from elsewhere, or the keys do.",
    Fault.CHECKPOINT_FORGED: "The checkpoint after batch {number} is not signed by this account's key: it was forged.",
}

_Account = Annotated[str, typer.Option("--account", "--workspace", help="The account's name; without it, every account.")]


@app.command()
def verify(account: _Account = "") -> None:
    """Prove every closed batch of audit records. Ends with 1 where one does not hold, and says which and how."""
    broken = False
    for name, workspace_id in _accounts(account):
        try:
            proof = prove(workspace_id)
        except VaultError as error:
            typer.echo(f"{name}: cannot be proved. {error}")
            broken = True
            continue
        broken = broken or bool(proof.findings)
        for line in _lines(proof):
            typer.echo(f"{name}: {line}")
    if broken:
        raise typer.Exit(1)


@app.command()
def prune(
    older_than: Annotated[int, typer.Option(min=1, help="Days that audit records are kept.")], account: _Account = ""
) -> None:
    """Drop whole batches whose records are all older, behind a signed checkpoint: what is left is proved as before."""
    before = clock.now() - timedelta(days=older_than)
    for name, workspace_id in _accounts(account):
        try:
            done = do_prune(workspace_id, before)
        except ChainBroken:
            raise Refused(f"The audit log of {name} does not hold, so nothing was dropped. See: flowcrm audit verify") from None
        typer.echo(f"{name}: {done.records:,} records in {done.batches:,} batches dropped.")


def _accounts(name: str) -> list[tuple[str, int]]:
    """The named account, or all of them, by their current names. Raises Refused."""
    wanted = account_id(name) if name else None
    found = router_rows("SELECT slug, workspace_id FROM account_name WHERE current ORDER BY slug")
    return [(slug, workspace_id) for slug, workspace_id in found if wanted in (None, workspace_id)]


def _lines(proof: Proof) -> list[str]:
    if proof.findings:
        return [sentence(finding) for finding in proof.findings]
    records = sum(batch.records for batch in proof.batches)
    since = f"since {_minute(proof.pruned_until)}; older ones were pruned" if proof.pruned_until else "from the first record on"
    return [
        f"{records:,} records in {len(proof.batches):,} batches hold, {since}. "
        f"{proof.open_records:,} newer records are not closed into a batch yet."
    ]


def sentence(finding: Finding) -> str:
    """What a finding means, for whoever must find out who did it."""
    if finding.fault is Fault.BATCHES_MISSING:
        if finding.number == finding.last:
            return f"Batch {finding.number} is missing."
        return f"Batches {finding.number} to {finding.last} are missing."
    return _SENTENCES[finding.fault].format(number=finding.number, records=finding.records)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
