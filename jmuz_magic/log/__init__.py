"""The exchange log: every exchange of this person on this machine, in SQLite."""
