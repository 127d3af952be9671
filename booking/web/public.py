"""The public pages: who takes the calls, which times are free, and the form that books one, or has it noted.

GET changes nothing. The form keeps what was typed, whatever the answer is.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from booking.errors import CapReached, KeyReused, LengthNotOffered, NotFound, NotOffered
from booking.store.models import CallType, Owner
from booking.usecases.availability import (
    Offer,
    holidays_of,
    listed_types,
    only_owner,
)
from booking.usecases.reserve import Wish
from booking.web import away, framing, pages
from booking.web.accent import read_colour, stylesheet
from booking.web.away import Offered
from booking.web.context import gettext, link, now, reader, services, zone_name
from booking.web.forms import (
    HONEYPOT,
    Details,
    DetailsForm,
    Problem,
    asks_about_reminders,
    asks_for_note,
    asks_for_phone,
    clean_details,
    in_order,
    questions_of,
    typed,
)
from booking.web.guards import keeps_typed, seconds_to_wait
from booking.web.instants import read_instant
from booking.web.named import found_offer, named_offer, named_owner
from booking.web.reserving import origin_of, reserve
from booking.web.shelf import shelf
from booking.web.times import Time, written
from booking.web.times_page import Ways, in_short, show_times, ways, written_out

TICKET: Final = "form"
LEAST_AGE: Final = timedelta(seconds=2)
"""Nobody reads and fills the form faster; machines do."""
GREATEST_AGE: Final = timedelta(hours=24)
ALTERNATIVES: Final = 6
TYPES_AROUND_ABSENCE: Final = 3
"""Of how many call types the list names free times before or after an absence."""
RETRY_DATABASE: Final = timedelta(seconds=5)
RETRY_CAP: Final = {"person": timedelta(days=1), "address": timedelta(days=1), "origin": timedelta(hours=1)}
KEEP_ACCENT: Final = timedelta(days=365)

bp = Blueprint("public", __name__)


@bp.get("/")
def home() -> ResponseReturnValue:
    """Lead to the owner where there is just one."""
    with services().database.reading() as db:
        owner = only_owner(db)
    return redirect(link("public.owner", owner_slug=owner.slug)) if owner else abort(404)


@bp.get("/<owner_slug>")
def owner(owner_slug: str) -> ResponseReturnValue:
    """Show who takes the calls, and what can be booked."""
    found = named_owner(owner_slug)
    listed = listed_types(found)
    if len(listed) == 1:
        only, embed = listed[0], framing.carried()
        return redirect(link("public.times", owner_slug=owner_slug, type_slug=only.slug, embed=embed))
    framing.let_sites_frame(found)
    return pages.kept(show_call_types("public/call_types.html", found, lambda: _offered(found, listed)))


def show_call_types(template: str, owner: Owner, offered: Callable[[], Sequence[Offered]] = tuple) -> Response:
    """Render who takes the calls, and what can be booked.

    :param offered: the free times around an absence; asked only where there is one.
    """
    return pages.page(
        template,
        is_home=True,
        is_embedded=framing.wants_embedded(),
        embed=framing.carried(),
        absences=away.notices(owner, now(), holidays_of(owner, now()), offered),
        call_types=[
            (each, pages.wording(each, owner), in_short(each), pages.spoken(each)) for each in listed_types(owner)
        ],
    )


@bp.get("/<owner_slug>/<type_slug>")
def times(owner_slug: str, type_slug: str) -> ResponseReturnValue:
    """Show the free times of one call type, day by day."""
    offer = found_offer(
        lambda minutes: shelf().offer(services().database, owner_slug, type_slug, now(), minutes), owner_slug
    )
    text = offer.text(pages.address(), lambda: _times(offer).data)
    framing.let_sites_frame(offer.owner)
    return pages.kept(pages.as_page(text.body), text.etag)


@bp.get("/<owner_slug>/<type_slug>/book")
def details(owner_slug: str, type_slug: str) -> ResponseReturnValue:
    """Ask for the details of a call at one free time."""
    offer, _ = named_offer(owner_slug, type_slug)
    start = _start(request.args.get("start", ""))
    if start is None or offer.why_not(start) is not None:
        return _not_offered(offer, start)
    return _details_page(_Attempt(offer, start, DetailsForm()))


@bp.post("/<owner_slug>/<type_slug>/book")
@keeps_typed
def book(owner_slug: str, type_slug: str) -> ResponseReturnValue:
    """Book the call, or show the form again with everything typed and what to change."""
    form = DetailsForm()
    offer, is_as_wished = named_offer(owner_slug, type_slug, form.minutes.data)
    start = _start(form.start.data or request.args.get("start", ""))
    attempt = _Attempt(offer, start, form)
    sent = typed(form)
    nonce = _nonce(sent["ticket"])
    if wait := seconds_to_wait():
        ticket = sent["ticket"] if nonce else None
        return _details_page(attempt, 429, {"Retry-After": str(wait)}, note=_words("often"), ticket=ticket)
    if not form.validate():
        return _details_page(attempt, 400, note=_words("stale"))
    if start is None:
        return _not_offered(offer, None, attempt)
    if not is_as_wished:
        return _not_offered(offer, start, attempt, note=_words("length"))
    if nonce is None or sent[HONEYPOT]:
        return _details_page(attempt, 400, note=_words("again"))
    cleaned = clean_details(sent, offer.owner, offer.call_type)
    if not isinstance(cleaned, Details):
        return _details_page(attempt, 422, problems=cleaned, ticket=sent["ticket"])
    return _reserve(attempt, _wish(cleaned, start, nonce, None if offer.is_usual else offer.minutes))


@bp.get("/<owner_slug>/privacy")
def privacy(owner_slug: str) -> ResponseReturnValue:
    """Show what is kept of a client, why, and for how long."""
    return pages.kept(pages.page("public/privacy.html", text=named_owner(owner_slug).privacy))


@bp.get("/<owner_slug>/imprint")
def imprint(owner_slug: str) -> ResponseReturnValue:
    """Show who answers for these pages."""
    text = named_owner(owner_slug).imprint.strip()
    return pages.kept(pages.page("public/imprint.html", text=text)) if text else abort(404)


@bp.get("/<owner_slug>/accent.css")
def accent(owner_slug: str) -> ResponseReturnValue:
    """Return the owner's accent colour as a stylesheet: no page may carry a style of its own."""
    colour = read_colour(named_owner(owner_slug).accent)
    if colour is None:
        abort(404)
    response = Response(stylesheet(colour), mimetype="text/css")
    response.cache_control.public = True
    response.cache_control.max_age = int(KEEP_ACCENT.total_seconds())
    return response


@dataclass(frozen=True)
class _Attempt:
    """One try at a call: what is offered, the start that is wished for, and the form."""

    offer: Offer
    start: datetime | None
    form: DetailsForm


def _offered(owner: Owner, call_types: Sequence[CallType]) -> list[Offered]:
    """Return the free times of the first call types, as far as they are known."""
    found = []
    for each in call_types[:TYPES_AROUND_ABSENCE]:
        offer = shelf().offer(services().database, owner.slug, each.slug, now())
        if offer.mode == "book":
            way = link("public.details", owner_slug=owner.slug, type_slug=each.slug, start="")
            name = pages.wording(each, owner).name
            found.append(Offered(offer.all_free(), offer.horizon.end, way, name))
    return found


def _times(offer: Offer) -> Response:
    is_embedded, embed = framing.wants_embedded(), framing.carried()
    return show_times("public/times.html", offer, _ways(offer), is_embedded=is_embedded, embed=embed)


def _ways(offer: Offer) -> Ways:
    place = {"owner_slug": offer.owner.slug, "type_slug": offer.call_type.slug}
    minutes = None if offer.is_usual else offer.minutes
    return ways("public.times", "public.details", embed=framing.carried(), minutes=minutes, **place)


def _start(text: str) -> datetime | None:
    # A plus that a program left bare in an address arrives as a blank.
    return read_instant(re.sub(r" (?=\d\d:\d\d$)", "+", text))


def _nonce(ticket: str) -> str | None:
    """Return the form's nonce where the form is ours and was open for neither too short nor too long a time."""
    ours = services()
    sealed = ours.signing.unseal(TICKET, ticket)
    if not isinstance(sealed, dict):
        return None
    age = now() - datetime.fromisoformat(sealed["at"])
    least = LEAST_AGE if ours.settings.rate_limits else timedelta()
    return str(sealed["nonce"]) if least <= age <= GREATEST_AGE else None


def _new_ticket() -> str:
    ours = services()
    return ours.signing.seal(TICKET, {"nonce": ours.token(), "at": now().isoformat(timespec="milliseconds")})


def _wish(details: Details, start: datetime, nonce: str, minutes: int | None) -> Wish:
    return Wish(
        start=start,
        name=details.name,
        email=details.email,
        phone=details.phone,
        note=details.note,
        who_calls=details.who_calls,
        timezone=zone_name(),
        locale=reader().code,
        request_key=nonce,
        origin=origin_of(services(), request.remote_addr),
        wants_reminders=details.wants_reminders,
        minutes=minutes,
        answers=details.answers,
    )


def _reserve(attempt: _Attempt, wish: Wish) -> ResponseReturnValue:
    ours, ticket = services(), attempt.form.ticket.data
    call_type = attempt.offer.call_type
    try:
        call = reserve(ours, attempt.offer.owner.slug, call_type.slug, wish)
    except (NotOffered, LengthNotOffered, NotFound):
        offer, is_as_wished = named_offer(attempt.offer.owner.slug, call_type.slug, attempt.form.minutes.data)
        return _not_offered(offer, attempt.start, attempt, note="" if is_as_wished else _words("length"))
    except CapReached as error:
        wait = str(int(RETRY_CAP[error.cap].total_seconds()))
        return _details_page(attempt, 429, {"Retry-After": wait}, note=_words(error.cap), ticket=ticket)
    except OperationalError:
        wait = str(int(RETRY_DATABASE.total_seconds()))
        return _details_page(attempt, 503, {"Retry-After": wait}, note=_words("locked"), ticket=ticket)
    except KeyReused:
        return _details_page(attempt, 409, note=_words("used"))
    return redirect(link("manage.call", token=ours.signing.link_token(call.id, call.link_version)), 303)


def _not_offered(
    offer: Offer, start: datetime | None, attempt: _Attempt | None = None, note: str = ""
) -> ResponseReturnValue:
    """Show the nearest free times; over a form that was sent, each is a button that keeps what was typed."""
    near = written_out(offer, offer.nearest(start or now(), ALTERNATIVES))
    if attempt is None:
        status, wording = 400 if start is None else 409, pages.wording(offer.call_type, offer.owner)
        return pages.page("public/taken.html", status, wording=wording, start=start, near=near, ways=_ways(offer))
    attempt = _Attempt(offer, None, attempt.form)
    return _details_page(attempt, 409, near=near, note=note, ticket=attempt.form.ticket.data)


def _details_page(
    attempt: _Attempt,
    status: int = 200,
    headers: dict[str, str] | None = None,
    *,
    problems: dict[str, Problem] | None = None,
    note: str = "",
    near: list[Time] | None = None,
    ticket: str | None = None,
) -> Response:
    offer, form = attempt.offer, attempt.form
    form.ticket.data = ticket or _new_ticket()
    return pages.page(
        "public/details.html",
        status,
        headers,
        form=form,
        call_type=offer.call_type,
        minutes=offer.minutes,
        named_minutes=None if offer.is_usual else offer.minutes,
        in_short=in_short(offer.call_type, [offer.minutes]),
        wording=pages.wording(offer.call_type, offer.owner),
        asks_for_note=asks_for_note(offer.call_type),
        asks_for_phone=asks_for_phone(offer.call_type),
        questions=questions_of(offer.call_type),
        can_be_booked=offer.mode == "book",
        asks_about_reminders=asks_about_reminders(offer.owner, offer.call_type),
        start_value=written(attempt.start) if attempt.start else "",
        at=pages.when(attempt.start, offer.owner) if attempt.start else None,
        problems=in_order(problems or {}),
        note=note,
        near=near,
    )


def _words(case: str) -> str:
    """Say why nothing was booked, and what to do next."""
    words = {
        "stale": gettext(
            "This page was open for long, or your browser sent no cookie."
            " Nothing you typed is lost: press the button once more."
        ),
        "again": gettext("Please check what you typed and press the button once more."),
        "person": gettext(
            "Several calls with you are planned already. As soon as one is over or cancelled, you can book the next."
        ),
        "address": gettext(
            "Several confirmations have gone to this mail address today."
            " Open the link in one of them, or book tomorrow."
        ),
        "origin": gettext("Many calls have been booked from your network. Try again in an hour."),
        "often": gettext(
            "Too many requests came from your network. Wait a few minutes, then press the button once more."
        ),
        "locked": gettext("Nothing has been booked. Wait a moment, then try again."),
        "length": gettext(
            "A call of this length is not offered any more. The length that you can choose stands above."
        ),
        "used": gettext("This form has already booked a call. To book another one, press the button once more."),
    }
    return words[case]
