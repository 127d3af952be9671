"""Table of what stays behind in a calendar when another one takes over its calls."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from booking.store.models import Base


class LeftEvent(Base):
    """Our event of a call in a calendar that does not take this call any more: to be removed, and ours until then."""

    __tablename__ = "left_event"

    uid: Mapped[str] = mapped_column(primary_key=True)
    """Ours and of this event alone: in its new calendar the call's event has the UID of the next generation."""
    call_id: Mapped[str] = mapped_column(sa.ForeignKey("call.id"), index=True)
    calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id"), index=True)
    href: Mapped[str] = mapped_column(default="")
    periods: Mapped[list[list[int]]] = mapped_column(sa.JSON, default=list)
    """Where it may stand (``[start, end]`` in epoch seconds)."""
    removed_at: Mapped[datetime | None]
    """Since when it is known to be gone; a reading asked for before may still show it."""
