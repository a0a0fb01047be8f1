"""A contact's tab Emails: 2,000 emails of that contact in an account of 200,000, as its member's browser asks for it.

Through the product's own URL, view, query, vault and template, with Django's client in the place of the socket. Beside it, in
the same run, what the same member opens next: one thread, the list of all emails, and a search.
"""

import sys

from bench.house import house

OTHERS, OF_CONTACT = 200_000, 2_000


def main(others: int = OTHERS) -> None:
    with house() as home:
        # Django must be set up before its models are imported.
        from bench.contact_page_run import run  # noqa: PLC0415

        for line in run(home, others, OF_CONTACT):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else OTHERS)
