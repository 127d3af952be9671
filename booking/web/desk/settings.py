"""The list of everything that can be set, each with a line that says how it stands."""

from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from booking.store.models import Owner
from booking.usecases.hours import coming_absences
from booking.web.context import LANGUAGE_NAMES, gettext, ngettext, services
from booking.web.desk import account, calendar_words, call_types, health, spoken
from booking.web.desk.room import desk, page, signed_in


@dataclass(frozen=True)
class Part:
    """One part of the settings: where it is, what it is called, how it stands."""

    endpoint: str
    name: str
    state: str


@desk.get("/settings")
def settings() -> ResponseReturnValue:
    """Show what can be set."""
    return page("desk/settings.html", parts=_parts(signed_in()))


def _parts(owner: Owner) -> list[Part]:
    """The parts, in the order in which they matter."""
    calendars = Part("desk.calendar_list", gettext("Calendars"), calendar_words.summary(owner))
    way_in = Part("desk.account", gettext("Log-in"), account.state_words(owner))
    hours = Part("desk.availability", gettext("When calls can be booked"), _hours(owner))
    types = Part("desk.call_type_list", gettext("Call types"), call_types.summary(owner))
    state = Part("desk.health", gettext("Health"), health.summary(owner))
    return [hours, types, calendars, *_faces(owner), way_in, state]


def _hours(owner: Owner) -> str:
    """How the week stands: on how many days there are hours, and the next absence."""
    open_days = sum(1 for windows in owner.timetable.weekly if windows)
    week = ngettext("%(num)s day a week", "%(num)s days a week", open_days)
    coming = coming_absences(owner.timetable, spoken.today(owner))
    away = gettext("away: %(days)s", days=spoken.span(coming[0])) if coming else gettext("no absence planned")
    return f"{week} · {away}"


def _faces(owner: Owner) -> list[Part]:
    """The parts that clients see of the owner: page, mails, the times on other sites, data protection."""
    sites, days = len(owner.embed_sites.split()), owner.retention_days
    discretion = gettext("neutral") if owner.discretion == "neutral" else gettext("usual discretion")
    on_sites = ngettext("on %(num)s site", "on %(num)s sites", sites) if sites else gettext("on no other site yet")
    kept = ngettext("Clients are kept for %(num)s day", "Clients are kept for %(num)s days", days)
    imprint = gettext("with an imprint") if owner.imprint.strip() else gettext("no imprint yet")
    return [
        Part("desk.share", gettext("Hand out your link"), gettext("to copy, to scan, to print, to say")),
        Part("desk.public_page", gettext("Public page"), f"{services().settings.base_url}/{owner.slug}"),
        Part("desk.mails", gettext("Mails and numbers"), f"{LANGUAGE_NAMES[owner.locale]} · {discretion}"),
        Part("desk.embed", gettext("On your web site"), on_sites),
        Part("desk.data_protection", gettext("Data protection"), f"{kept} · {imprint}"),
    ]
