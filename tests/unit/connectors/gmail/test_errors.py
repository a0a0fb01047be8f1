"""What each of Gmail's refusals means, from answers in the shapes that Gmail sends."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flowcrm.connectors.gmail.errors import Asked, LabelLost, PageLost, gmail_error
from flowcrm.lib import clock
from flowcrm.lib.http import Answer
from flowcrm.mail.errors import (
    CursorLost,
    Gone,
    MailError,
    NeedsAdmin,
    NeedsLogin,
    Permanent,
    PermissionMissing,
    RateLimited,
    Transient,
)

SCOPE = "https://mail.example/readonly"


def refusal(
    status: int, reason: str = "", message: str = "", *, rpc: str = "", details: list[dict[str, Any]] | None = None
) -> Answer:
    error: dict[str, Any] = {"code": status, "message": message}
    if reason:
        error["errors"] = [{"domain": "global", "reason": reason, "message": message}]
    if rpc:
        error["status"] = rpc
    if details:
        error["details"] = details
    return Answer(status, {}, json.dumps({"error": error}).encode())


def error_info(reason: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


EVERYWHERE = [
    (refusal(401, "authError", "Invalid Credentials", rpc="UNAUTHENTICATED"), NeedsLogin, "authError"),
    (refusal(403, "rateLimitExceeded", "Rate Limit Exceeded"), RateLimited, "rateLimitExceeded"),
    (refusal(403, "userRateLimitExceeded", "User Rate Limit Exceeded"), RateLimited, "userRateLimitExceeded"),
    (
        refusal(
            403,
            message="Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'",
            rpc="PERMISSION_DENIED",
        ),
        RateLimited,
        "PERMISSION_DENIED",
    ),
    (refusal(403, rpc="RESOURCE_EXHAUSTED", details=[error_info("RATE_LIMIT_EXCEEDED")]), RateLimited, "RATE_LIMIT_EXCEEDED"),
    (refusal(429, "rateLimitExceeded", "Too many concurrent requests for user."), RateLimited, "rateLimitExceeded"),
    (Answer(429, {}, b""), RateLimited, "429"),
    (refusal(403, "dailyLimitExceeded", "Daily Limit Exceeded"), RateLimited, "dailyLimitExceeded"),
    (refusal(403, "accessNotConfigured", "Gmail API has not been used in project 1 before"), NeedsAdmin, "accessNotConfigured"),
    (refusal(403, rpc="PERMISSION_DENIED", details=[error_info("SERVICE_DISABLED")]), NeedsAdmin, "SERVICE_DISABLED"),
    (refusal(403, "domainPolicy", "The domain administrators have disabled Gmail apps."), NeedsAdmin, "domainPolicy"),
    (refusal(403, "insufficientPermissions", "Insufficient Permission"), PermissionMissing, "insufficientPermissions"),
    (
        refusal(403, rpc="PERMISSION_DENIED", details=[error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")]),
        PermissionMissing,
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    ),
    (refusal(500, "backendError", "Backend Error"), Transient, "backendError"),
    (refusal(502, "", ""), Transient, "502"),
    (Answer(503, {}, b"<html>Error 503</html>"), Transient, "503"),
    (Answer(504, {}, b""), Transient, "504"),
    (Answer(408, {}, b""), Transient, "408"),
    (Answer(404, {"content-type": "text/html"}, b"<html>Error 404 (Not Found)!!1</html>"), Transient, "404"),
    (Answer(403, {}, b"<html>Sign in to the hotel's network</html>"), Transient, "403"),
    (Answer(302, {"location": "https://portal.example"}, b""), Transient, "302"),
]


@pytest.mark.parametrize("asked", list(Asked))
@pytest.mark.parametrize(
    ("answer", "kind", "code"), EVERYWHERE, ids=lambda value: str(value) if isinstance(value, str) else None
)
def test_some_refusals_mean_the_same_whatever_was_asked(answer: Answer, kind: type[MailError], code: str, asked: Asked) -> None:
    error = gmail_error(answer, asked, SCOPE)
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize(
    ("asked", "answer", "kind"),
    [
        (Asked.ITEM, refusal(404, "notFound", "Requested entity was not found."), Gone),
        (Asked.HISTORY, refusal(404, "notFound", "Requested entity was not found."), CursorLost),
        (Asked.HISTORY_PAGE, refusal(404, "notFound", "Requested entity was not found."), CursorLost),
        (Asked.LABEL, refusal(404, "notFound", "Requested entity was not found."), LabelLost),
        (Asked.MAILBOX, refusal(404, "notFound", "Not Found"), Transient),
        (Asked.PAGE, refusal(404, "notFound", "Not Found"), PageLost),
        (Asked.ITEM, refusal(400, "invalidArgument", "Invalid id value"), Permanent),
        (Asked.HISTORY, refusal(400, "invalidArgument", "Invalid startHistoryId"), CursorLost),
        (Asked.HISTORY_PAGE, refusal(400, "invalidArgument", "Invalid pageToken"), PageLost),
        (Asked.PAGE, refusal(400, "invalidArgument", "Invalid pageToken"), PageLost),
        (Asked.LABEL, refusal(400, "invalidArgument", "Invalid label: Label_9"), LabelLost),
        (Asked.LABEL, refusal(400, "invalidArgument", "Invalid query"), Transient),
        (Asked.MAILBOX, refusal(400, "invalidArgument", "Invalid query"), Transient),
        (Asked.MAILBOX, refusal(403, "forbidden", "Metadata scope does not support 'q' parameter"), PermissionMissing),
        (Asked.ITEM, refusal(403, "forbidden", "Forbidden"), Permanent),
        (Asked.MAILBOX, refusal(403, "forbidden", "Forbidden"), NeedsAdmin),
        (Asked.ITEM, refusal(418, "teapot", "?"), Permanent),
        (Asked.MAILBOX, refusal(418, "teapot", "?"), Transient),
        (Asked.ITEM, refusal(400, "failedPrecondition", "Precondition check failed."), Permanent),
        (Asked.MAILBOX, refusal(400, "failedPrecondition", "Mail service not enabled"), NeedsAdmin),
    ],
)
def test_others_depend_on_what_was_asked(asked: Asked, answer: Answer, kind: type[MailError]) -> None:
    assert type(gmail_error(answer, asked, SCOPE)) is kind


def test_a_missing_permission_is_named() -> None:
    error = gmail_error(refusal(403, "insufficientPermissions"), Asked.MAILBOX, SCOPE)
    assert isinstance(error, PermissionMissing)
    assert error.scope == SCOPE


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b'{"error": "text"}', b"\xff"])
def test_a_body_that_is_not_gmails_says_nothing_of_the_email(body: bytes) -> None:
    error = gmail_error(Answer(403, {}, body), Asked.ITEM, SCOPE)
    assert (type(error), error.code) == (Transient, "403")


def test_an_error_object_with_nonsense_in_it_can_be_read() -> None:
    error = gmail_error(Answer(403, {}, b'{"error": {"errors": 1, "details": [2]}}'), Asked.ITEM, SCOPE)
    assert (type(error), error.code) == (Permanent, "403")


def test_gmails_own_sentence_is_passed_on_without_addresses_and_cut() -> None:
    error = gmail_error(refusal(403, "forbidden", "Delegation denied for anna@acme.example " + "x" * 500), Asked.MAILBOX, SCOPE)
    assert "Delegation denied for (address)" in error.text
    assert "anna" not in error.text
    assert len(error.text) < 400


# -- when to come back -------------------------------------------------------------------------------------------------------


def retry_at(answer: Answer) -> datetime | None:
    error = gmail_error(answer, Asked.ITEM, SCOPE)
    assert isinstance(error, RateLimited)
    return error.retry_at


def test_the_retry_after_header_is_believed() -> None:
    answer = Answer(429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"")
    assert retry_at(answer) == datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


def test_the_moment_in_gmails_sentence_is_read() -> None:
    answer = refusal(429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-03-27T18:02:32.323Z (Mail sending)")
    assert retry_at(answer) == datetime(2026, 3, 27, 18, 2, 32, 323000, tzinfo=UTC)


def test_an_impossible_moment_in_the_sentence_is_ignored() -> None:
    assert retry_at(refusal(429, message="Retry after 2026-13-99T99:99:99Z")) is None


def test_the_delay_in_the_details_is_read() -> None:
    delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"}
    before = clock.now()
    moment = retry_at(refusal(429, details=[delay]))
    assert moment is not None
    assert before + timedelta(seconds=12.5) <= moment <= clock.now() + timedelta(seconds=12.5)


def test_without_a_hint_the_moment_is_unknown() -> None:
    assert retry_at(refusal(429, "rateLimitExceeded")) is None


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        (datetime(2026, 1, 15, 12, 0, tzinfo=UTC), datetime(2026, 1, 16, 8, 0, tzinfo=UTC)),
        (datetime(2026, 7, 15, 6, 59, tzinfo=UTC), datetime(2026, 7, 15, 7, 0, tzinfo=UTC)),
        (datetime(2026, 7, 15, 7, 0, tzinfo=UTC), datetime(2026, 7, 16, 7, 0, tzinfo=UTC)),
    ],
)
def test_the_days_allowance_comes_back_at_midnight_pacific(
    now: datetime, midnight: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)
    assert retry_at(refusal(403, "dailyLimitExceeded")) == midnight
