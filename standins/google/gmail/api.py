"""The Gmail API's front door: token, fault, scope, quota, then the method."""

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, unquote

from flowcrm.lib import clock
from standins.faults import Fault, FaultBook
from standins.google.errors import ApiError, invalid, not_found, not_signed_in, scope_missing
from standins.google.gmail import misbehave, routes, upload
from standins.google.gmail.call import Call, json_object
from standins.google.gmail.fields import keep_fields
from standins.google.quota import Quota, too_many_at_once
from standins.google.world import Access, Account, World
from standins.log import LogLine, RequestLog
from standins.mailbox import UnknownLabel, UnknownMail
from standins.web import Answer, Request, json_answer

_HEX = frozenset("0123456789abcdef")


@dataclass(slots=True)
class _Way:
    """How far one request has come: what the log tells of it in the end."""

    request: Request
    operation: str = "unknown"
    account: str = ""
    units: int = 0
    fault: Fault | None = None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def variant(self) -> str:
        return self.request.first("format").lower()


class GmailApi:
    """Answers requests under /gmail/v1 and /upload/gmail/v1."""

    def __init__(self, world: World, faults: FaultBook, quota: Quota, log: RequestLog) -> None:
        self._world = world
        self._faults = faults
        self._quota = quota
        self._log = log

    def serve(self, request: Request) -> Answer:
        """One request that came by itself."""
        who = self.account_of(request)
        over = self._quota.enter(who, 1)
        answer = self.call(request, refuse=over > 0)
        return replace(answer, done=lambda: self._quota.leave(who, 1))

    def call(self, request: Request, *, in_batch: bool = False, refuse: bool = False) -> Answer:
        """refuse: too many calls of this user are under way."""
        way = _Way(_real_method(request))
        try:
            answer = self._answer(way, refuse)
        except ApiError as error:
            answer = error.answer()
        if way.fault is not None:
            answer = misbehave.after(way.fault, answer)
        self._log.add(_log_line(way, answer, in_batch))
        return answer

    def account_of(self, request: Request) -> str:
        """The address behind a request's token, "" without one."""
        try:
            return self._signed_in(request)[1].address
        except ApiError:
            return ""

    def _answer(self, way: _Way, refuse: bool) -> Answer:
        route, way.variables = _find(way.request)
        way.operation = route.operation
        access, account = self._signed_in(way.request)
        way.account = account.address
        if refuse:
            raise too_many_at_once()
        way.fault = self._faults.strike(way.request.path, way.operation, way.variant, way.account)
        if way.fault is not None:
            misbehave.before(way.fault, account.mailbox, way.variables)
        _check_access(route, access, account, way.variables)
        way.units = self._quota.spend(account.address, route.method)
        return self._result(way, route, access, account)

    def _result(self, way: _Way, route: routes.Route, access: Access, account: Account) -> Answer:
        body, media = upload.read(way.request) if route.upload else (json_object(way.request.body), None)
        path = {name: unquote(value) for name, value in way.variables.items()}
        try:
            result = route.handler(Call(way.request, self._world, account, access.scopes, path, body, media))
        except UnknownMail as unknown:
            raise _no_such_mail(str(unknown.args[0])) from None
        except UnknownLabel:
            raise not_found() from None
        if result is None:
            return Answer(204)
        if way.fault is not None and way.fault.kind in misbehave.PAGE_KINDS:
            result = misbehave.page(way.fault, result, way.request, account.mailbox)
        return json_answer(keep_fields(result, way.request.first("fields")))

    def _signed_in(self, request: Request) -> tuple[Access, Account]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme.lower() == "bearer" else request.first("access_token")
        access = self._world.opened_by(token.strip())
        if access is None:
            raise not_signed_in()
        return access, self._world.account(access.grant.address)


def _log_line(way: _Way, answer: Answer, in_batch: bool) -> LogLine:
    return LogLine(
        method=way.request.method,
        path=way.request.path,
        query=way.request.query,
        operation=way.operation,
        variant=way.variant,
        account=way.account,
        status=answer.status,
        units=way.units,
        in_batch=in_batch,
        fault=way.fault.kind if way.fault is not None else "",
        at=clock.now().timestamp(),
    )


def _find(request: Request) -> tuple[routes.Route, dict[str, str]]:
    path = request.raw_path
    found = routes.find(request.method, path.removeprefix("/upload"))
    if found is None or (path.startswith("/upload") and not found[0].upload):
        raise ApiError(404, "notFound", "The requested URL was not found on this server.")
    return found


def _check_access(route: routes.Route, access: Access, account: Account, variables: dict[str, str]) -> None:
    user = unquote(variables["userId"]).lower()
    if user not in ("me", account.address):
        raise ApiError(403, "forbidden", f"Delegation denied for {account.address}")
    if not access.scopes & set(route.scopes):
        raise scope_missing(route.scopes)
    if not account.mail_on:
        raise ApiError(400, "failedPrecondition", "Mail service not enabled")


def _no_such_mail(mail_id: str) -> ApiError:
    """Gmail tells an id that cannot exist from one that does not."""
    possible = 0 < len(mail_id) <= 16 and _HEX.issuperset(mail_id.lower())
    return not_found() if possible else invalid("Invalid id value")


def _real_method(request: Request) -> Request:
    """Google's own clients send a GET with a very long query as a POST form."""
    verb = request.headers.get("x-http-method-override", "").upper()
    if request.method != "POST" or not verb:
        return request
    query = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return replace(request, method=verb, query={**request.query, **query}, body=b"")
