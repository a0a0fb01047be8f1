"""python -m standins.google --port 8900 --seed-file demo.json"""

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Any

from standins.google.server import GoogleServer


def main(arguments: list[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    google = GoogleServer(options.port)
    google.controls.call("quota", {"units_per_minute": options.quota})
    if options.seed_file is not None:
        seed(google, json.loads(options.seed_file.read_text()))
    google.start()
    sys.stdout.write(f"Stand-in for Google at {google.url} (nothing leaves this machine)\n")
    sys.stdout.flush()
    try:
        google.wait()
    except KeyboardInterrupt:
        google.stop()
    return 0


def seed(google: GoogleServer, given: dict[str, Any]) -> None:
    """Fill it from {"clients": [create_client's arguments], "accounts": [{"address", "name", "aliases", "labels": [names],
    "mails": [deliver's arguments, with "text" for an unencoded mail instead of "raw"]}]}. Label names stand for their ids."""
    for client in given.get("clients", []):
        google.controls.call("create_client", client)
    for account in given.get("accounts", []):
        who = {name: account[name] for name in ("address", "name", "aliases") if name in account}
        google.controls.call("create_account", who)
        ids = {
            name: google.controls.call("create_label", {"account": account["address"], "name": name})["id"]
            for name in account.get("labels", [])
        }
        mails = [_mail(mail, ids) for mail in account.get("mails", [])]
        google.controls.call("deliver_many", {"account": account["address"], "mails": mails})


def _mail(given: dict[str, Any], label_ids: dict[str, str]) -> dict[str, Any]:
    mail = dict(given)
    if "text" in mail:
        mail["raw"] = base64.b64encode(mail.pop("text").encode()).decode()
    if "labels" in mail:
        mail["labels"] = [label_ids.get(name, name) for name in mail["labels"]]
    return mail


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m standins.google", description="A stand-in for Google's OAuth and Gmail API."
    )
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one (default: 8900)")
    parser.add_argument(
        "--quota", type=int, default=6000, help="quota units per minute and user, 0 for no limit (default: 6000)"
    )
    parser.add_argument(
        "--seed-file", type=Path, help="a JSON file of accounts and mails; its shape stands in standins/README.md"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
