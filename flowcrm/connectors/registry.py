"""kind -> (label on pages, dotted path of its connector). One readable table; no discovery, and nothing is imported before
it is needed. A new provider is a folder here and a line below (and a fixture in tests/contract)."""

CONNECTORS: dict[str, tuple[str, str]] = {
    "gmail": ("Gmail", "flowcrm.connectors.gmail.client.GmailConnector"),
    "imap": ("Email", "flowcrm.connectors.imap.client.ImapConnector"),
}
