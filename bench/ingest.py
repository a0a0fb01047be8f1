"""From bytes to sealed, token-indexed and committed: mails a second with one worker process and PostgreSQL beside it.

The mails come from bench/generate.py and go the way of `flowcrm import`, which is the way of sync without the network: prepare,
put bodies into the object store and sync it, commit a page. Printed beside it, in the same run: the standard library merely
parsing the same mails (its default policy, all headers and all parts), as a peer that stores nothing.
"""

import email
import email.policy
import sys
import time

from bench.generate import generate
from bench.house import house

SEED = 20261123
PEER_SAMPLE = 1000


def main(mails: int = 20_000) -> None:
    with house():
        # Django must be set up before its models are imported.
        from bench.ingest_run import run  # noqa: PLC0415

        for line in run(mails, SEED):
            sys.stdout.write(line + "\n")
        sys.stdout.write(peer(mails) + "\n")


def peer(mails: int) -> str:
    """How many mails a second the standard library parses, on a sample."""
    sample = [raw for raw, *_ in generate(min(mails, PEER_SAMPLE), SEED)]
    started = time.perf_counter()
    for raw in sample:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        _ = [str(value) for value in message.values()]
        for part in message.walk():
            if not part.is_multipart():
                part.get_payload(decode=True)
    rate = len(sample) / (time.perf_counter() - started)
    return f"peer: the standard library parses {rate:.0f} mails/s (and stores nothing)"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
