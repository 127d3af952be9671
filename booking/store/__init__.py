"""The database: its tables, its transactions and the outbox."""
