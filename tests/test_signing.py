"""Links and tickets: ours, unchanged, for their own purpose only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.errors import BookingError
from booking.signing import LINK_FROM_MAIL, LINK_FROM_PAGE, Link, Signing
from booking.store.vault import Vault
from tests.conftest import KEY

OLD = KEY[::-1]


def test_a_link_says_which_call_and_how_it_reached_the_client() -> None:
    signing = Signing((KEY,))
    for purpose in (LINK_FROM_PAGE, LINK_FROM_MAIL):
        assert signing.read_link(signing.link_token("abc", 3, purpose)) == Link("abc", 3, purpose)


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_link_with_any_byte_changed_is_not_ours(place: int, change: int) -> None:
    signing = Signing((KEY,))
    token = signing.link_token("0123456789abcdef", 1).encode()
    place %= len(token)
    forged = token[:place] + bytes([token[place] ^ change]) + token[place + 1 :]
    link = signing.read_link(forged.decode("latin-1"))
    # The last sign of base64 has unused bits: such a text is the same signature, for the same call.
    assert link is None or link == Link("0123456789abcdef", 1, LINK_FROM_PAGE)


@given(st.text())
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert Signing((KEY,)).read_link(text) is None
    assert Signing((KEY,)).unseal("form", text) is None


def test_what_is_sealed_for_one_purpose_is_nothing_for_another() -> None:
    signing = Signing((KEY,))
    sealed = signing.seal("form", {"nonce": "n"})
    assert signing.unseal("form", sealed) == {"nonce": "n"}
    assert signing.unseal("other", sealed) is None


def test_after_a_rotation_old_links_still_lead_to_their_call_and_new_ones_are_signed_anew() -> None:
    old, rotated = Signing((OLD,)), Signing((KEY, OLD))
    assert rotated.read_link(old.link_token("abc", 1)) == Link("abc", 1, LINK_FROM_PAGE)
    assert Signing((KEY,)).read_link(rotated.link_token("abc", 1)) is not None
    assert old.read_link(rotated.link_token("abc", 1)) is None


def test_a_keyed_hash_tells_same_from_other_and_nothing_else() -> None:
    signing = Signing((KEY,))
    assert signing.keyed_hash("origin", "10.0.0.0/24") == signing.keyed_hash("origin", "10.0.0.0/24")
    assert signing.keyed_hash("origin", "x") != signing.keyed_hash("address", "x")
    assert signing.keyed_hash("origin", "x") != Signing((OLD,)).keyed_hash("origin", "x")


def test_secrets_at_rest_open_with_their_key_and_after_a_rotation() -> None:
    locked = Vault((OLD,)).lock("hush")
    assert "hush" not in locked
    assert Vault((KEY, OLD)).unlock(locked) == "hush"
    with pytest.raises(BookingError, match="another SECRET_KEY"):
        Vault((KEY,)).unlock(locked)


def test_the_same_key_has_the_same_fingerprint() -> None:
    assert Vault((KEY,)).fingerprints == Vault((KEY, OLD)).fingerprints[:1]
    assert Vault((KEY,)).fingerprints != Vault((OLD,)).fingerprints
