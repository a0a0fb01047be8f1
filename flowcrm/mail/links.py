"""Links as their writer meant them: without the wrappers that mail gateways and senders' tracking put around them."""

import re
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

LINK = re.compile(r"https?://[^\s<>\"'\]]+", re.IGNORECASE)
# Microsoft Safe Links, Proofpoint URL Defense (v2 and v3), Barracuda, and our own: the target stands inside.
_IN_QUERY = {"safelinks.protection.outlook.com": "url", "linkprotect.cudasvc.com": "a", "protection.sophos.com": "u"}
_DEFENSE_3 = re.compile(r"https?://urldefense\.(?:com|us)/v3/__(.+?)__;", re.IGNORECASE)
_DEFENSE_2 = re.compile(r"https?://urldefense\.proofpoint\.com/v2/url\?(?:.*&)?u=([^&]+)", re.IGNORECASE)
_CAMPAIGN = re.compile(r"(?:utm_[a-z]+|mc_[a-z]+|fbclid|gclid|_hsenc|_hsmi|mkt_tok)=", re.IGNORECASE)
_MOST_LAYERS = 3


def plain(url: str) -> str:
    """The link without wrappers, campaign parameters and fragment; host in lower case. For comparing, not for following."""
    for _ in range(_MOST_LAYERS):
        inner = _unwrapped(url)
        if inner is None:
            break
        url = inner
    try:
        parts = urlsplit(url)
        query = "&".join(one for one in parts.query.split("&") if not _CAMPAIGN.match(one))
        return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), query, ""))
    except ValueError:
        return url


def _unwrapped(url: str) -> str | None:
    if match := _DEFENSE_3.match(url):
        # The rewriter folds "//" to "/" behind the scheme, and puts * for characters that it lists elsewhere.
        return re.sub(r"^(https?):/(?!/)", r"\1://", match[1])
    if match := _DEFENSE_2.match(url):
        return unquote(match[1].replace("-", "%").replace("_", "/"))
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        for suffix, parameter in _IN_QUERY.items():
            if host.endswith(suffix):
                return next(iter(parse_qs(parts.query).get(parameter, [])), None)
    except ValueError:
        pass
    return None
