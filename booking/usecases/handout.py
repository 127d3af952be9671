"""What is kept about calls and their clients, as plain data that can be handed out as JSON."""

from booking.store.models import Call
from booking.usecases.privacy import ClientData


def call_data(call: Call) -> dict[str, object]:
    """Return everything that is kept about a call, which comes with owner, call type and history."""
    who = ("name", "email", "phone", "note", "answers", "who_calls", "timezone", "locale")
    history = [
        {"at": one.at, "step": one.step, "by": one.actor, "state": one.state, "reason": one.reason}
        for one in call.changes
    ]
    return {
        **{key: getattr(call, key) for key in ("id", "state", "starts_at", "ends_at", *who)},
        "owner": call.owner.slug,
        "call_type": call.call_type.slug,
        "created_at": call.created_at,
        "history": history,
    }


def client_data(kept: ClientData) -> dict[str, object]:
    """Return everything that is kept about a client."""
    return {
        "calls": [call_data(call) for call in kept.calls],
        "mails": [{"created_at": one.created_at, "sent_at": one.done_at, "facts": one.payload} for one in kept.mails],
        "notes": [{"contact": one.contact, "note": one.note, "blocked_at": one.blocked_at} for one in kept.notes],
    }
