"""Content-Type and Content-Disposition as mailers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import params


@pytest.mark.parametrize(
    ("value", "token", "found"),
    [
        (b' text/plain; charset="utf-8"; format=flowed', "text/plain", {"charset": "utf-8", "format": "flowed"}),
        (b"TEXT/Plain;CHARSET=us-ascii (Plain text)", "text/plain", {"charset": "us-ascii"}),
        (b'application/pdf; name="=?utf-8?q?caf=C3=A9.pdf?="', "application/pdf", {"name": "café.pdf"}),
        (b"attachment; filename*=UTF-8''%e2%82%ac%20rates.pdf; filename=x.pdf", "attachment", {"filename": "€ rates.pdf"}),
        (b"attachment; filename*0*=us-ascii'en'This%20; filename*1=is", "attachment", {"filename": "This is"}),
        (b'attachment; filename*0="abc"; filename*1="def.txt"', "attachment", {"filename": "abcdef.txt"}),
        (b"attachment; filename=My File (1).pdf", "attachment", {"filename": "My File (1).pdf"}),
        (b'attachment; filename="C:\\dir\\a \\"b\\".txt"', "attachment", {"filename": 'C:\\dir\\a "b".txt'}),
        (b'multipart/mixed;boundary="a;b=c"', "multipart/mixed", {"boundary": "a;b=c"}),
        (b'text/plain; charset="utf-8', "text/plain", {"charset": "utf-8"}),
        (b"text/html; charset=utf-8; charset=latin1", "text/html", {"charset": "utf-8"}),
        (b";;;", "", {}),
        (b"", "", {}),
    ],
)
def test_token_and_parameters(value: bytes, token: str, found: dict[str, str]) -> None:
    assert params.read(value) == (token, found)


@given(st.binary())
def test_any_value_is_read(value: bytes) -> None:
    params.read(value)
