"""Cheap marks in plain text: what in it is quoted, signed below, or put there by gateways and lists. Lines in, lines out.

They serve the snippet and the core hash of every mail at ingest, where a whole reply parser would cost more than all the rest.
What they miss is harmless there: the same mail in two mailboxes has the same text in both.
"""

import re

from flowcrm.mail import links
