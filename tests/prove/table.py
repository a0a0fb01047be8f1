"""All proofs, in the order of docs/proof.md."""

from tests.prove import postgres_kill
from tests.prove.proof import Proof

PROOFS = (
    Proof(
        name="postgres-kill",
        claim="The embedded PostgreSQL is killed (SIGKILL) at a random moment while rows are committed: "
        "it comes back by itself with every row whose commit was answered.",
        run=postgres_kill.prove,
        seeds=100,
        slice=2,
    ),
)
