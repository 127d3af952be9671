"""Origins of web sites, as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.web.origins import NoOrigin, read_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://example.org", "https://example.org"),
        (" HTTPS://WWW.Example.ORG/ ", "https://www.example.org"),
        ("https://example.org:443", "https://example.org"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("https://müller.example", "https://xn--mller-kva.example"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ],
)
def test_a_site_is_read_as_headers_name_it(text: str, origin: str) -> None:
    assert read_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "http://example.org",
        "ftp://example.org",
        "https://",
        "https://*.example.org",
        "https://a b",
        "https://-a.example",
        "https://anna:secret@example.org",
        "https://example.org:",
        "https://example.org:0",
        "https://example.org:99999",
        "https://example.org; script-src *",
        "https://a.example,https://b.example",
        "https://[::1]",
        "https://" + "ü" * 70 + ".example",
        "'none'",
    ],
)
def test_what_is_no_site_is_refused(text: str) -> None:
    with pytest.raises(NoOrigin) as error:
        read_origin(text)
    assert error.value.site == ""


@pytest.mark.parametrize("text", ["https://example.org/contact", "https://example.org?a=b", "https://example.org/#x"])
def test_a_page_is_refused_with_the_site_it_is_on(text: str) -> None:
    with pytest.raises(NoOrigin) as error:
        read_origin(text)
    assert error.value.site == "https://example.org"


@given(st.text(alphabet="https:/.;,'* \n\t-@[]ü1a%", max_size=30).map(lambda text: "https://" + text))
def test_whatever_is_read_can_be_nothing_but_one_origin_in_a_header(text: str) -> None:
    try:
        origin = read_origin(text)
    except NoOrigin:
        return
    assert origin.isascii()
    assert not set(origin) & set(" ;,'*\r\n\t\"")
    assert read_origin(origin) == origin
