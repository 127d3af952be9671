"""What mails say of the owner, in which language, and how discreet everything is; with every mail to look at."""

from email.message import EmailMessage
from typing import Any, Final

from babel import Locale
from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from phonenumbers import SUPPORTED_REGIONS
from wtforms import StringField, ValidationError
from wtforms.form import BaseForm

from booking.errors import ChangedMeanwhile, InvalidPhone
from booking.language import LANGUAGES
from booking.mail.messages import render
from booking.rules.phone import Phone, PhoneProblem, display, parse_phone
from booking.usecases import keyvalue
from booking.web import framing
from booking.web.context import LANGUAGE_NAMES, gettext, now, reader, services
from booking.web.desk import letters
from booking.web.desk.fields import Choice, Choices, Line, Prose
from booking.web.desk.owner_form import refusal, save_owner, stamp_owner
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in
from booking.web.reserving import house

NAMES: Final = (
    "locale",
    "discretion",
    "sender_name",
    "phone",
    "country",
    "caller_id",
    "signature",
    "phone_countries",
)
COUNTRIES: Final = tuple(sorted(SUPPORTED_REGIONS))
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)
"""A mail has styles of its own, and nothing else: it can't run, load or send anything."""


class Number(StringField):  # type: ignore[misc]
    """A phone number; without a country code it belongs to the form's country."""

    e164 = ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Bring what was typed into shape."""
        self.data = valuelist[0].strip() if valuelist else ""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what can't be rung like an ordinary number."""
        if self.data:
            self.e164 = read_number(self.data, form["country"].data or "").e164


class MailsForm(DeskForm):
    """What mails say of the owner, and how discreet everything is."""

    locale = Choice(LANGUAGES)
    discretion = Choice(("normal", "neutral"))
    sender_name = Line(keyvalue.LONGEST_NAME)
    signature = Prose(keyvalue.LONGEST_SIGNATURE)
    country = Choice(("", *COUNTRIES))
    phone = Number()
    caller_id = Line(keyvalue.LONGEST_LINE)
    phone_countries = Choices(COUNTRIES)

    def values(self) -> dict[str, Any]:
        """Return what was typed, by the owner's columns."""
        texts = {name: self[name].data or "" for name in NAMES}
        countries = ",".join(sorted(self.phone_countries.data or []))
        return {**texts, "phone": self.phone.e164, "phone_countries": countries}


@desk.get("/mails")
def mails() -> ResponseReturnValue:
    """Show what mails say of the owner."""
    owner = signed_in()
    saved = {name: getattr(owner, name) for name in NAMES}
    countries = [country for country in owner.phone_countries.split(",") if country]
    form = MailsForm(data={**saved, "phone": display(owner.phone) if owner.phone else "", "phone_countries": countries})
    stamp_owner(form, NAMES)
    return _page(form)


@desk.post("/mails")
@acts
def save_mails() -> ResponseReturnValue:
    """Save what mails say of the owner."""
    form = MailsForm()
    if not form.validate():
        return _page(form, *refusal(form))
    try:
        save_owner(form, NAMES, form.values())
    except ChangedMeanwhile:
        stamp_owner(form, NAMES)
        return _page(form, 409, note_of("changed"))
    return done(gettext("Saved. Mails that leave from now on look like this."), "desk.mails")


@desk.get("/mails/preview")
def preview_mails() -> ResponseReturnValue:
    """Show one mail as it would be with the owner's settings, and the list of all of them; none is sent."""
    chosen = _chosen()
    mail = _rendered(chosen)
    text = mail.get_body(("plain",))
    framing.hold_own_frames()
    return page(
        "desk/mail_preview.html",
        kinds=letters.kinds(),
        chosen=chosen,
        subject=str(mail["Subject"]),
        sender=str(mail["From"]),
        text=str(text.get_content()) if text is not None else "",
        has_file=any(mail.iter_attachments()),
    )


@desk.get("/mails/preview/letter")
def preview_letter() -> ResponseReturnValue:
    """Return the HTML part of a mail, for the frame that shows it."""
    html = _rendered(_chosen()).get_body(("html",))
    response = Response(str(html.get_content()) if html is not None else "", mimetype="text/html")
    response.headers.update({framing.POLICY: MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"})
    return response


def _chosen() -> letters.Kind:
    """Return which mail is asked for, in which language; the first one where nothing is said."""
    first = letters.KINDS[0]
    asked = request.args.get("message", first[0]), request.args.get("to", first[1])
    code = request.args.get("in", signed_in().locale)
    if asked not in letters.KINDS or code not in LANGUAGES:
        abort(404)
    return letters.Kind(*asked, code)


def _rendered(chosen: letters.Kind) -> EmailMessage:
    ours = services()
    facts = letters.made_up(signed_in(), chosen, house(ours), now())
    return render(facts, job_id="preview", mail_from=ours.settings.mail_from, host=house(ours).host, now=now())


def read_number(text: str, country: str) -> Phone:
    """Read the owner's number.

    :raises ValidationError: it can't be rung; the sentence says what to write instead.
    """
    try:
        return parse_phone(text, country, frozenset())
    except InvalidPhone as error:
        words = {
            PhoneProblem.NO_COUNTRY: gettext("Write the number with its country code, such as +49 170 1234567."),
            PhoneProblem.KIND: gettext("This is a service number. Give a landline or mobile number."),
            PhoneProblem.EXTENSION: gettext("Extensions can't be dialled directly. Give the whole number without one."),
        }
        usual = gettext("This number can't be rung. Check the digits, with area code.")
        raise ValidationError(words.get(PhoneProblem(error.reason), usual)) from error


def _page(form: MailsForm, status: int = 200, note: str = "") -> Response:
    names = _country_names()
    return page(
        "desk/mails.html",
        status,
        form=form,
        note=note,
        countries=names,
        country_boxes=[(code, name, "") for code, name in names],
        language_options=list(LANGUAGE_NAMES.items()),
    )


def _country_names() -> list[tuple[str, str]]:
    """Return code and name of every country that has phone numbers, by name."""
    known = Locale.parse(reader().code).territories
    return sorted(((code, str(known.get(code, code))) for code in COUNTRIES), key=lambda pair: pair[1].casefold())
