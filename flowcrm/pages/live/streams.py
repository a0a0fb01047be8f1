"""The open streams of one web process, and the one connection over which it hears what they are told."""

import asyncio
from datetime import timedelta

import structlog

from flowcrm.lib.retry import RetryPolicy
from flowcrm.pages.live.viewer import Viewer
from flowcrm.store.tidings import Noticed, Tiding, TidingsLost, tidings

log = structlog.get_logger(__name__)

# The words of a stream, besides those of single mailboxes: lists of emails, the bell, all that the page can ask for again.
EMAILS, NOTICES, ALL = "emails", "notices", "all"
# More words than these are one: look at everything again. So a stream that is read slowly does not grow.
MOST_WORDS = 20
BACK_OFF = RetryPolicy(first=timedelta(seconds=1), most=timedelta(seconds=30))


def mailbox_topic(mailbox_id: int) -> str:
    """The word for one mailbox's card, as templates write it too."""
    return f"mailbox-{mailbox_id}"


class Stream:
    """What one page has not been told yet: words, each once."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.ended = False
        self._words: set[str] = set()
        self._news = asyncio.Event()
        self._end = asyncio.Event()

    def hear(self, tiding: Tiding | Noticed | None) -> None:
        """Take what concerns this viewer."""
        if tiding is None:
            self.tell(ALL)
        elif isinstance(tiding, Noticed):
            if (tiding.workspace_id, tiding.member_id) == (self.viewer.workspace_id, self.viewer.member_id):
                self.tell(NOTICES)
        elif tiding.workspace_id == self.viewer.workspace_id:
            own = tiding.mailbox_id in self.viewer.mailboxes
            if own:
                self.tell(mailbox_topic(tiding.mailbox_id))
            if tiding.emails and (own or tiding.mailbox_id in self.viewer.others):
                self.tell(EMAILS)

    def tell(self, *words: str) -> None:
        self._words.update(words)
        if ALL in self._words or len(self._words) > MOST_WORDS:
            self._words = {ALL}
        self._news.set()

    def end(self) -> None:
        """Say no more; whoever waits wakes up."""
        self.ended = True
        self._news.set()
        self._end.set()

    async def news(self, most: float) -> tuple[str, ...]:
        """The words since the last call; empty after `most` seconds without any, and at the end."""
        await _within(self._news, most)
        words, self._words = tuple(sorted(self._words)), set()
        if not self.ended:
            self._news.clear()
        return words

    async def rest(self, seconds: float) -> None:
        """Let words gather; not beyond the end."""
        await _within(self._end, seconds)


class Streams:
    """All of one process. It listens from the first stream on, until it is told to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self._open: set[Stream] = set()
        self._listening: asyncio.Task[None] | None = None
        self._hears = False

    def of_member(self, member_id: int) -> int:
        """How many he has open here."""
        return sum(stream.viewer.member_id == member_id for stream in self._open)

    def join(self, viewer: Viewer) -> Stream:
        """A new stream. Its first word is ALL, once we listen: nobody knows what happened since its page was drawn."""
        stream = Stream(viewer)
        self._open.add(stream)
        if self._hears:
            stream.tell(ALL)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
            self._listening.add_done_callback(self._deaf)
        return stream

    def leave(self, stream: Stream) -> None:
        self._open.discard(stream)

    def stop(self) -> None:
        """The process is about to end: no stream may hold it up."""
        self.stopped = True
        self._end_all()
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        lost = 0
        while True:
            try:
                async for tiding in tidings():
                    self._hears, lost = True, 0
                    for stream in self._open:
                        stream.hear(tiding)
            except TidingsLost as error:
                log.warning("not listening", tries=lost, reason=type(error.__cause__).__name__)
            self._hears = False
            await asyncio.sleep(BACK_OFF.delay(lost).total_seconds())
            lost += 1

    def _deaf(self, task: "asyncio.Task[None]") -> None:
        """Listening ended, by `stop` or by a fault of ours: pages come back by themselves, and the first begins anew."""
        self._listening, self._hears = None, False
        self._end_all()
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("listening failed", exc_info=fault)

    def _end_all(self) -> None:
        for stream in self._open:
            stream.end()


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
