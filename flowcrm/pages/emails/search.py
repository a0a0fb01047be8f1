"""Search on the page of all emails: one line for each conversation, by the newest of its emails that was meant."""

from dataclasses import replace
from urllib.parse import urlencode

from flowcrm.mail.query import read_query
from flowcrm.pages.emails.lists import Line, Lines, lines
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor
from flowcrm.store.queries.threads import PAGE_SIZE, THREAD_SIZE, Only, threads_of_copies
from flowcrm.store.reveal import MOST_FOUND, MOST_PROPOSED, Hit, reveal_hits


def search_page(request: MemberRequest, looking: Actor, typed: str) -> dict[str, object]:
    """What the template shows."""
    query = read_query(typed)
    begins = _begins(request)
    found = reveal_hits(looking, query, "search", begins=begins, size=min(PAGE_SIZE, MOST_FOUND - begins))
    hits = {one.copy_id: one for one in found.hits}
    page = threads_of_copies(looking, list(hits))
    shown = _with_excerpts(lines(request, looking, page, Only.ALL, "search"), hits)
    ends = begins + PAGE_SIZE
    goes_on, full = found.more and ends < MOST_FOUND, found.more and ends >= MOST_FOUND
    return {
        "typed": typed,
        "list": replace(shown, newer="", next=_next(typed, ends) if goes_on else ""),
        "most": THREAD_SIZE,
        "mark_unknown": True,
        "words": query.words,
        "cut": query.cut,
        "only_newest": MOST_FOUND if full else 0,
        "first": begins == 0,
        "looked_at": 0 if found.whole else MOST_PROPOSED,
    }


def _with_excerpts(shown: Lines, hits: dict[int, Hit]) -> Lines:
    def found(line: Line) -> Line:
        return replace(line, excerpt=hits[line.row.copy_id].excerpt, open=line.row.message_id)

    return replace(shown, lines=tuple(found(one) for one in shown.lines))


def _begins(request: MemberRequest) -> int:
    text = request.GET.get("from", "")
    return min(int(text), MOST_FOUND) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _next(typed: str, begins: int) -> str:
    return urlencode({"q": typed, "from": begins})
