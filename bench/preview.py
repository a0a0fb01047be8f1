"""The preview of a first choice on a mailbox of 100,000 emails: how soon its first words are there, and when all is counted.

Against the stand-in, in another process. Beside it, in the same run: what one page of ids costs there, asked for by itself,
since no preview can be faster than the provider's pages.
"""

import sys

from bench.house import house

MAILS = 100_000
# What a person is promised, in seconds.
PROMISED = 3.0


def main(mails: int = MAILS) -> None:
    with house():
        # Django must be set up before its models are imported.
        from bench.preview_run import run  # noqa: PLC0415

        for line in run(mails, PROMISED):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MAILS)
