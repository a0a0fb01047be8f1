"""The pages a person sees. Plain, usable without script, and never to be mistaken for Google's own."""

from collections.abc import Iterable, Mapping
from html import escape

from standins.google.oauth.scopes import TITLES
from standins.google.world import Account, Client
from standins.web import Answer, page

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; justify-items: center; }
.standin { width: 100%; box-sizing: border-box; padding: .6rem 1rem; text-align: center; background: #7a4b00; color: #fff; }
main { box-sizing: border-box; width: min(30rem, 100%); padding: 2rem 1rem; }
h1 { font-size: 1.4rem; font-weight: 500; }
button { font: inherit; padding: .6rem 1.2rem; border: 1px solid #767676; border-radius: .4rem; cursor: pointer; }
button { background: transparent; color: inherit; }
button:focus-visible, input:focus-visible { outline: 3px solid #1a73e8; outline-offset: 2px; }
.account { display: block; width: 100%; margin: .5rem 0; text-align: left; }
.main { background: #0b57d0; border-color: #0b57d0; color: #fff; }
label { display: flex; gap: .6rem; align-items: start; padding: .5rem 0; }
.row { display: flex; gap: .8rem; justify-content: flex-end; margin-top: 1.5rem; }
"""


def choose_account(asked: Mapping[str, str], client: Client, accounts: Iterable[Account]) -> Answer:
    buttons = "".join(
        f'<button class="account" name="account" value="{escape(account.address)}">{escape(account.address)}</button>'
        for account in accounts
    )
    empty = "<p>There is no account here yet. Create one through /control/create_account.</p>" if not buttons else ""
    form = f'<form method="get" action="/o/oauth2/v2/auth">{_hidden(asked)}{buttons}</form>'
    return _page("Choose an account", f"<p>to continue to {escape(client.name)}</p>{form}{empty}")


def consent(
    asked: Mapping[str, str], client: Client, account: Account, signing_in: Iterable[str], choices: list[str]
) -> Answer:
    """One box for each permission; a single one needs no box."""
    fixed = "".join(f"<li>{escape(TITLES[scope])}</li>" for scope in (*signing_in, *(choices if len(choices) == 1 else ())))
    boxes = "".join(_box(scope) for scope in (choices if len(choices) > 1 else ()))
    question = f"<fieldset><legend>Select what {escape(client.name)} can access</legend>{boxes}</fieldset>" if boxes else ""
    single = f'<input type="hidden" name="granted" value="{escape(choices[0])}">' if len(choices) == 1 else ""
    buttons = (
        '<div class="row"><button name="decision" value="cancel">Cancel</button>'
        '<button class="main" name="decision" value="allow">Allow</button></div>'
    )
    form = (
        f'<form method="post" action="/o/oauth2/v2/consent">{_hidden(asked)}{single}<ul>{fixed}</ul>{question}{buttons}</form>'
    )
    return _page(f"{client.name} wants access to your Google Account", f"<p>{escape(account.address)}</p>{form}")


def _box(scope: str) -> str:
    box = f'<input type="checkbox" name="granted" value="{escape(scope)}" checked>'
    return f"<label>{box} <span>{escape(TITLES[scope])}</span></label>"


def refused(code: str, explanation: str, status: int) -> Answer:
    """What Google shows instead of sending the person back: the address to send them to cannot be trusted."""
    body = f"<p>{escape(explanation)}</p><p>Error {status}: {escape(code)}</p>"
    return _page("Access blocked: authorization error", body, status)


def start(url: str) -> Answer:
    return _page(
        "Stand-in for Google", f"<p>OAuth and the Gmail API are served at {escape(url)}. It is driven through /control/.</p>"
    )


def _page(title: str, body: str, status: int = 200) -> Answer:
    return page(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)} (stand-in for Google)</title><style>{_STYLE}</style></head><body>"
        f'<div class="standin" role="note">Stand-in for Google: nothing leaves this machine</div>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>",
        status,
    )


def _hidden(asked: Mapping[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items())
