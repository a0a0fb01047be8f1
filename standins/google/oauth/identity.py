"""Who signed in: userinfo, tokeninfo, and signed id tokens (OpenID Connect).

https://developers.google.com/identity/openid-connect/openid-connect
"""

import base64
import hashlib
import json
import secrets
import threading

from flowcrm.lib import clock
from standins.google.errors import not_signed_in
from standins.google.oauth import scopes
from standins.google.world import ACCESS_LIFE, Access, Account, Code, World
from standins.web import Answer, Json, Request, json_answer

ISSUER = "https://accounts.google.com"
_KEY_BITS = 2048
_EXPONENT = 65537
_KEY_ID = "standin"
# DigestInfo of SHA-256 (RFC 8017, 9.2).
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def userinfo(request: Request, world: World) -> Answer:
    """/oauth2/v2/userinfo speaks of `id`, /v1 and /v3 of `sub`."""
    access = world.opened_by(_bearer(request))
    if access is None or not access.scopes & scopes.SIGN_IN:
        return not_signed_in().answer()
    account = world.account(access.grant.address)
    return json_answer(_v2(access, account) if "/v2/" in request.path else _claims(access.scopes, account))


def tokeninfo(request: Request, world: World) -> Answer:
    token = request.first("access_token") or request.form().get("access_token", [""])[0]
    access = world.opened_by(token)
    if access is None:
        return json_answer({"error": "invalid_token", "error_description": "Invalid Value"}, 400)
    account = world.account(access.grant.address)
    answer: Json = {
        "issued_to": access.grant.client_id,
        "audience": access.grant.client_id,
        "scope": " ".join(sorted(access.scopes)),
        "expires_in": int((access.expires_at - clock.now()).total_seconds()),
        "user_id": account.number,
    }
    if scopes.EMAIL in access.scopes:
        answer |= {"email": account.address, "verified_email": True}
    return json_answer(answer)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.first("access_token")


def _v2(access: Access, account: Account) -> Json:
    answer: Json = {"id": account.number}
    if scopes.EMAIL in access.scopes:
        answer |= {"email": account.address, "verified_email": True}
    if scopes.PROFILE in access.scopes:
        answer |= {"name": account.name, "given_name": account.name.split()[0]}
    return answer


def _claims(granted: frozenset[str], account: Account) -> Json:
    claims: Json = {"sub": account.number}
    if scopes.EMAIL in granted:
        claims |= {"email": account.address, "email_verified": True}
    if scopes.PROFILE in granted:
        claims |= {"name": account.name, "given_name": account.name.split()[0]}
    return claims


class IdTokens:
    """Signs id tokens with an RSA key of this process, made when it is first needed (half a second)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._key: tuple[int, int] | None = None

    def sign(self, code: Code) -> str:
        now = int(clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "azp": code.client_id,
            "aud": code.client_id,
            **_claims(code.scopes, self._world.account(code.address)),
            "iat": now,
            "exp": now + int(ACCESS_LIFE.total_seconds()),
        }
        if code.nonce:
            claims["nonce"] = code.nonce
        head = {"alg": "RS256", "kid": _KEY_ID, "typ": "JWT"}
        signed = f"{_url64(json.dumps(head).encode())}.{_url64(json.dumps(claims).encode())}"
        return f"{signed}.{_url64(self._signature(signed.encode()))}"

    def certificates(self) -> Answer:
        """/oauth2/v3/certs."""
        modulus, _ = self._keys()
        key = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": _KEY_ID,
            "n": _url64(modulus.to_bytes(_KEY_BITS // 8, "big")),
            "e": _url64(_EXPONENT.to_bytes(3, "big")),
        }
        return json_answer({"keys": [key]})

    def _signature(self, message: bytes) -> bytes:
        modulus, private = self._keys()
        size = _KEY_BITS // 8
        info = _SHA256_INFO + hashlib.sha256(message).digest()
        padded = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        return pow(int.from_bytes(padded, "big"), private, modulus).to_bytes(size, "big")

    def _keys(self) -> tuple[int, int]:
        with self._lock:
            if self._key is None:
                self._key = _make_key()
            return self._key


def configuration(url: str) -> Answer:
    """/.well-known/openid-configuration, its addresses on this server."""
    return json_answer(
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{url}/o/oauth2/v2/auth",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/v1/userinfo",
            "revocation_endpoint": f"{url}/revoke",
            "jwks_uri": f"{url}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


def _make_key() -> tuple[int, int]:
    """(modulus, private exponent)."""
    first, second = _prime(), _prime()
    return first * second, pow(_EXPONENT, -1, (first - 1) * (second - 1))


def _prime() -> int:
    half = _KEY_BITS // 2
    while True:
        # The two highest bits set: the product of two such primes has its full length.
        candidate = secrets.randbits(half) | (3 << (half - 2)) | 1
        if candidate % _EXPONENT != 1 and _is_prime(candidate):
            return candidate


def _is_prime(candidate: int) -> bool:
    """Miller and Rabin, 20 rounds after small divisors."""
    if any(candidate % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)):
        return False
    odd, twos = candidate - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(candidate, odd, twos, secrets.randbelow(candidate - 3) + 2) for _ in range(20))


def _passes(candidate: int, odd: int, twos: int, base: int) -> bool:
    power = pow(base, odd, candidate)
    if power in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % candidate
        if power == candidate - 1:
            return True
    return False


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
