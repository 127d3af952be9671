"""What an owner ends mails to clients with."""

import pytest

from tests.mail.facts import TO_CLIENT, TO_OWNER, html_of, mail, text_of

SIGNATURE = "Texts & more\nhttps://www.example.org"


@pytest.mark.parametrize("message", TO_CLIENT)
def test_mails_to_clients_end_with_it_above_the_name(message: str) -> None:
    told = mail(message=message, signature=SIGNATURE)
    assert text_of(told).endswith("\n\nTexts & more\nhttps://www.example.org\n\nAnna Beispiel\n")
    html = html_of(told)
    assert html.index("Texts &amp; more\nhttps://www.example.org</p>") < html.index(">Anna Beispiel</p>")


@pytest.mark.parametrize("message", TO_CLIENT)
def test_neutral_mails_leave_it_out(message: str) -> None:
    told = mail(message=message, signature=SIGNATURE, discretion="neutral", sender_name="A. B.")
    assert "Texts" not in text_of(told) + html_of(told)
    assert text_of(told).endswith("\n\nA. B.\n")


@pytest.mark.parametrize("message", TO_OWNER)
def test_the_owner_s_own_mails_leave_it_out(message: str) -> None:
    assert "Texts & more" not in text_of(mail(message=message, to="owner", signature=SIGNATURE))


def test_it_stays_in_the_body_and_is_nothing_but_text() -> None:
    told = mail(signature="Bcc: eve@example.org\r\n\r\n<b>bold</b>\u202e\x00")
    assert told["Bcc"] is None
    assert "<b>" not in html_of(told)
    assert "\u202e" not in text_of(told)
    assert "\x00" not in text_of(told)


def test_a_mail_that_waited_since_before_there_were_signatures_still_leaves() -> None:
    assert text_of(mail(signature="")) == text_of(mail())
