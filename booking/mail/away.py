"""An absence as one client reads of it. Its days are the owner's; times are on the client's clock."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from booking.language import language
from booking.mail.facts import AwayFacts
from booking.mail.views import booking_link, capital, signature_of
from booking.rules.text import several_lines, single_line


class AwayView:
    """What the mail about an absence says; under neutral discretion neither trade nor topic, so no words but those."""

    def __init__(self, facts: AwayFacts) -> None:
        self._facts = facts
        self._language = language(facts.locale)
        self._zone = ZoneInfo(facts.timezone)
        self.is_neutral = facts.discretion == "neutral"
        self.is_update = facts.is_update
        self.has_call = facts.has_call
        self.notice = single_line(facts.notice)
        # Written for the public page, it may name a trade.
        self.stand_in = "" if self.is_neutral else single_line(facts.stand_in)
        self.signature = signature_of(facts)
        self.farewell = "" if self.is_neutral else several_lines(facts.signature)
        self.answers_reach_owner = bool(facts.owner_email)
        self.place = self._language.place(facts.timezone)
        self.url = f"{facts.booking_url}?lang={self._language.code}"

    @property
    def is_one_day(self) -> bool:
        """Say whether it is a single day."""
        return self._facts.first == self._facts.last

    @property
    def days(self) -> dict[str, str]:
        """The first and the last day: Tuesday, 1 December."""
        return {"first": self._day(self._facts.first), "last": self._day(self._facts.last)}

    @property
    def back(self) -> str:
        """The first working day after it, if there is one."""
        return self._day(self._facts.back) if self._facts.back else ""

    @property
    def before(self) -> list[dict[str, str]]:
        """The last free times before it."""
        return self._choices(self._facts.before)

    @property
    def after(self) -> list[dict[str, str]]:
        """The first free time after it."""
        return self._choices(self._facts.after)

    def _choices(self, starts: Sequence[datetime]) -> list[dict[str, str]]:
        if self.is_neutral:  # an address names the call type
            return []
        speak, facts = self._language, self._facts
        return [
            {
                "day": capital(speak.day(start, self._zone)),
                "time": speak.time(start, self._zone),
                "url": booking_link(facts.booking_url, start, facts.timezone, speak.code),
            }
            for start in starts
        ]

    def _day(self, day: date) -> str:
        return self._language.day(datetime.combine(day, time(12), UTC), UTC)
