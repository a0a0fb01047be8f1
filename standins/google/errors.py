"""Google's JSON error body, as api clients meet it: a code, a status word, `errors[].reason`, and sometimes `details`.

https://developers.google.com/workspace/gmail/api/guides/handle-errors
"""

from standins.web import Answer, Json, json_answer

# HTTP status -> (google.rpc.Code word, the reason given where nothing more special is known, the usual sentence).
USUAL: dict[int, tuple[str, str, str]] = {
    400: ("INVALID_ARGUMENT", "invalidArgument", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "authError", "Invalid Credentials"),
    403: ("PERMISSION_DENIED", "forbidden", "The caller does not have permission"),
    404: ("NOT_FOUND", "notFound", "Requested entity was not found."),
    405: ("UNIMPLEMENTED", "methodNotAllowed", "Method not allowed."),
    409: ("ABORTED", "aborted", "The operation was aborted."),
    412: ("FAILED_PRECONDITION", "conditionNotMet", "Precondition check failed."),
    413: ("INVALID_ARGUMENT", "uploadTooLarge", "Request Too Large."),
    429: ("RESOURCE_EXHAUSTED", "rateLimitExceeded", "User-rate limit exceeded."),
    500: ("INTERNAL", "backendError", "Internal error encountered."),
    502: ("UNAVAILABLE", "backendError", "Bad Gateway"),
    503: ("UNAVAILABLE", "backendError", "The service is currently unavailable."),
    504: ("DEADLINE_EXCEEDED", "backendError", "Deadline expired before operation could complete."),
}
# Reasons with a domain or a sentence of their own.
_DOMAINS = {
    "rateLimitExceeded": "usageLimits",
    "userRateLimitExceeded": "usageLimits",
    "dailyLimitExceeded": "usageLimits",
    "accessNotConfigured": "usageLimits",
}
_SENTENCES = {
    "userRateLimitExceeded": "User Rate Limit Exceeded",
    "rateLimitExceeded": "Rate Limit Exceeded",
    "dailyLimitExceeded": "Daily Limit Exceeded",
    "domainPolicy": "The domain administrators have disabled Gmail apps.",
    "accessNotConfigured": "Gmail API has not been used in project 0 before or it is disabled.",
    "failedPrecondition": "Mail service not enabled",
}
# Reasons that also come as google.rpc.ErrorInfo in `details`.
_DETAILS = {
    "insufficientPermissions": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "rateLimitExceeded": "RATE_LIMIT_EXCEEDED",
    "userRateLimitExceeded": "RATE_LIMIT_EXCEEDED",
    "accessNotConfigured": "SERVICE_DISABLED",
}


class ApiError(Exception):
    """Leaves a handler as an error answer. `location`: the header or parameter that is wrong, as "header:Authorization"."""

    def __init__(
        self, status: int, reason: str = "", message: str = "", *, location: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason or usual(status)[1]
        self.message = message or _SENTENCES.get(reason) or usual(status)[2]
        self.location = location
        self.headers = headers or {}

    def answer(self) -> Answer:
        answer = json_answer({"error": self.body()}, self.status)
        for name, value in self.headers.items():
            answer = answer.with_header(name, value)
        return answer

    def body(self) -> Json:
        first: Json = {"message": self.message, "domain": _DOMAINS.get(self.reason, "global"), "reason": self.reason}
        if self.location:
            first["locationType"], _, first["location"] = self.location.partition(":")
        body: Json = {"code": self.status, "message": self.message, "errors": [first], "status": self._status_word()}
        if self.reason in _DETAILS:
            info = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": _DETAILS[self.reason],
                "domain": "googleapis.com",
                "metadata": {"service": "gmail.googleapis.com"},
            }
            body["details"] = [info]
        return body

    def _status_word(self) -> str:
        return "FAILED_PRECONDITION" if self.reason == "failedPrecondition" else usual(self.status)[0]


def usual(status: int) -> tuple[str, str, str]:
    return USUAL.get(status, ("UNKNOWN", "backendError", "Unknown Error."))


def not_found() -> ApiError:
    return ApiError(404)


def invalid(message: str) -> ApiError:
    """A request that Gmail understands and refuses."""
    return ApiError(400, "invalidArgument", message)


def bad_value(field: str, kind: str, value: str) -> ApiError:
    """A parameter that is not of its type, in the words of Google's front end."""
    return ApiError(400, "invalid", f"Invalid value at '{field}' ({kind}), \"{value}\"")


def not_signed_in() -> ApiError:
    message = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    challenge = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
    return ApiError(401, "authError", message, location="header:Authorization", headers=challenge)


def scope_missing(scopes: tuple[str, ...]) -> ApiError:
    challenge = f'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{" ".join(scopes)}"'
    message = "Request had insufficient authentication scopes."
    return ApiError(403, "insufficientPermissions", message, headers={"WWW-Authenticate": challenge})
