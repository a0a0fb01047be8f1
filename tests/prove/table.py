"""All proofs, in the order of docs/proof.md."""

from tests.flow import threads_corpus
from tests.prove import postgres_kill
from tests.prove.proof import Proof
from tests.simulation import convergence, crash

PROOFS = (
    Proof(
        name="postgres-kill",
        claim="The embedded PostgreSQL is killed (SIGKILL) at a random moment while rows are committed: "
        "it comes back by itself with every row whose commit was answered.",
        run=postgres_kill.prove,
        seeds=100,
        slice=2,
    ),
    Proof(
        name="worker-kill",
        claim="A worker is killed (SIGKILL) at ten random moments of an import, while the provider fails now and then: "
        "in the end every mail that the rules let in is there once, byte for byte, nothing else is, and the usage is exact.",
        run=crash.prove,
        seeds=20,
        slice=1,
    ),
    Proof(
        name="convergence",
        claim="A random history of two mailboxes (mail arrives, moves, goes; settings, contacts and exclusion lists change; "
        "the provider fails, forgets, says no; workers lose their leases in the middle): whenever it comes to rest, the store "
        "equals what a model that shares no code with the product says.",
        run=convergence.prove,
        seeds=5000,
        slice=40,
    ),
    Proof(
        name="real-threads",
        claim="A real archive of 16,313 mails, imported in a random order, falls into the conversations that an oracle "
        "computes from Message-ID, References and In-Reply-To; a mail that was sent twice under two ids counts once.",
        run=threads_corpus.prove,
        seeds=3,
        slice=0,
    ),
)
