"""The facts of a morning mail as the owner sees them; nothing is decided here."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from booking.language import language
from booking.mail.facts import CalendarFacts, CallFacts, MorningFacts
from booking.mail.views import CalendarView, OwnersView


class MorningView:
    """One morning as its owner sees it."""

    def __init__(self, facts: MorningFacts, now: datetime) -> None:
        code, zone = facts.locale, facts.timezone  # a notice may be older than a change of them
        self.is_neutral = facts.discretion == "neutral"
        self.day = language(code).day(facts.day, ZoneInfo(zone))
        self.calls = [OwnersView(call, now) for call in facts.calls]
        self.requests = [OwnersView(call, now) for call in facts.requests]
        calls = [replace(each, locale=code, timezone=zone) for each in facts.news if isinstance(each, CallFacts)]
        self.news = [(each.message, OwnersView(each, now)) for each in calls]
        calendars = [
            replace(each, locale=code, timezone=zone) for each in facts.news if isinstance(each, CalendarFacts)
        ]
        self.calendars_back = [CalendarView(each) for each in calendars if each.message == "calendar_back"]
        self.silent = [CalendarView(each) for each in facts.silent]
        self.stuck = facts.stuck
        self.link, self.stuck_link = facts.link, facts.stuck_link
