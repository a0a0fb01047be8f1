"""All of the stand-in behind one port: sign-in pages, tokens, userinfo, the Gmail API, batches and the controls."""

from collections.abc import Callable
from functools import partial

from flowcrm.lib import clock
from standins.faults import Fault, FaultBook
from standins.google.control import ControlError, Controls
from standins.google.errors import ApiError, usual
from standins.google.gmail import batch, misbehave
from standins.google.gmail.api import GmailApi
from standins.google.oauth import authorize, identity, pages, token
from standins.google.quota import Quota
from standins.google.world import World
from standins.log import LogLine, RequestLog
from standins.web import Answer, Request, Server, json_answer

_Serve = Callable[[Request], Answer]
# What the token endpoint says where a fault names no reason.
_OAUTH_ERRORS = {400: "invalid_grant", 429: "rate_limit_exceeded", 500: "internal_failure", 503: "backend_error"}


class GoogleServer:
    """One Google with its accounts. `controls` moves it; `start` and `stop` open and close its port."""

    def __init__(self, port: int = 0) -> None:
        world, faults, quota = World(), FaultBook(), Quota()
        self._faults = faults
        self._log = RequestLog()
        self._api = GmailApi(world, faults, quota, self._log)
        self._quota = quota
        self.controls = Controls(world, faults, quota, self._log)
        self._server = Server(self._serve, port)
        self._doors = self._make_doors(world)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> None:
        self._server.start()

    def wait(self) -> None:
        self._server.wait()

    def stop(self) -> None:
        self._server.stop()

    def _make_doors(self, world: World) -> dict[tuple[str, str], tuple[str, _Serve]]:
        """(verb, path) -> (operation, who serves it), for everything with a fixed path."""
        id_tokens = identity.IdTokens(world)
        begin = partial(authorize.begin, world=world)
        exchange = partial(token.exchange, world=world, id_token=id_tokens.sign)
        userinfo = partial(identity.userinfo, world=world)
        batched = partial(batch.serve, api=self._api, quota=self._quota)
        return {
            ("GET", "/"): ("start", lambda _request: pages.start(self.url)),
            ("GET", "/o/oauth2/v2/auth"): ("oauth.auth", begin),
            ("GET", "/o/oauth2/auth"): ("oauth.auth", begin),
            ("POST", "/o/oauth2/v2/consent"): ("oauth.consent", partial(authorize.decide, world=world)),
            ("POST", "/token"): ("oauth.token", exchange),
            ("POST", "/oauth2/v4/token"): ("oauth.token", exchange),
            ("POST", "/revoke"): ("oauth.revoke", partial(token.revoke, world=world)),
            ("GET", "/oauth2/v2/userinfo"): ("oauth.userinfo", userinfo),
            ("GET", "/oauth2/v3/userinfo"): ("oauth.userinfo", userinfo),
            ("GET", "/v1/userinfo"): ("oauth.userinfo", userinfo),
            ("POST", "/oauth2/v2/tokeninfo"): ("oauth.tokeninfo", partial(identity.tokeninfo, world=world)),
            ("GET", "/oauth2/v3/certs"): ("oauth.certs", lambda _request: id_tokens.certificates()),
            ("GET", "/.well-known/openid-configuration"): (
                "oauth.configuration",
                lambda _request: identity.configuration(self.url),
            ),
            ("POST", "/batch/gmail/v1"): ("gmail.batch", batched),
            ("POST", "/batch"): ("gmail.batch", batched),
        }

    def _serve(self, request: Request) -> Answer:
        if request.path.startswith("/control/"):
            return self._control(request)
        if request.path.startswith(("/gmail/v1/", "/upload/gmail/v1/")):
            return self._api.serve(request)
        return self._serve_door(request)

    def _serve_door(self, request: Request) -> Answer:
        operation, serve = self._doors.get((request.method, request.path), ("unknown", _nowhere))
        fault = self._faults.strike(request.path, operation, "", "")
        answer = _refused(fault, operation) or serve(request)
        if fault is not None:
            answer = misbehave.after(fault, answer)
        self._log.add(
            LogLine(
                method=request.method,
                path=request.path,
                query=request.query,
                operation=operation,
                variant="",
                account="",
                status=answer.status,
                units=0,
                in_batch=False,
                fault=fault.kind if fault is not None else "",
                at=clock.now().timestamp(),
            )
        )
        return answer

    def _control(self, request: Request) -> Answer:
        try:
            arguments = request.json() or {}
            if not isinstance(arguments, dict):
                raise ControlError("The arguments of a control are a JSON object")
            return json_answer(self.controls.call(request.path.removeprefix("/control/").strip("/"), arguments))
        except ValueError as error:
            return json_answer({"error": str(error)}, 400)


def _nowhere(_request: Request) -> Answer:
    return ApiError(404, "notFound", "The requested URL was not found on this server.").answer()


def _refused(fault: Fault | None, operation: str) -> Answer | None:
    """The answer instead of the real one, where the fault refuses the request."""
    if fault is None or fault.applied or fault.kind not in misbehave.REFUSING:
        return None
    if not operation.startswith("oauth."):
        return misbehave.refusal(fault).answer()
    reason = fault.reason or _OAUTH_ERRORS.get(fault.status, "server_error")
    answer = json_answer({"error": reason, "error_description": fault.message or usual(fault.status)[2]}, fault.status)
    return answer.with_header("Retry-After", fault.retry_after) if fault.retry_after else answer
