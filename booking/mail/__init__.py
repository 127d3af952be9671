"""Facts become messages; messages leave."""
