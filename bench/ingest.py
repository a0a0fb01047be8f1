"""From bytes to sealed, token-indexed and committed: mails a second with one worker process and PostgreSQL beside it.

The mails come from bench/generate.py and go the way of `flowcrm import`, which is the way of sync without the network: prepare,
put bodies into the object store and sync it, commit a page. Printed beside it, in the same run: the standard library merely
parsing the same mails (its default policy, all headers and all parts), as a peer that stores nothing.
"""

import email
import email.policy
import sys
import time
from itertools import islice

from bench.corpus import Corpus, write
from bench.house import house

SEED = 20261123
MAILS = 20_000
PEER_SAMPLE = 1_000


def main(mails: int = MAILS) -> None:
    with house() as home:
        # Django must be set up before its models are imported.
        from bench.ingest_run import run  # noqa: PLC0415

        corpus = write(home.path / "mails", mails, SEED)
        for line in (*run(home, corpus), peer(corpus)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def peer(corpus: Corpus) -> str:
    """How many mails a second the standard library parses, on a sample."""
    sample = [raw for raw, _ in islice(corpus, PEER_SAMPLE)]
    started = time.process_time()
    for raw in sample:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        _ = [str(value) for value in message.values()]
        for part in message.walk():
            if not part.is_multipart():
                part.get_payload(decode=True)
    each = (time.process_time() - started) / len(sample)
    return f"  peer: the standard library needs {1000 * each:.2f} ms of a processor to parse a mail, and stores nothing"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MAILS)
