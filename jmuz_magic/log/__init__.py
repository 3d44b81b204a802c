"""The exchange log: every exchange of this user on this machine, in SQLite."""
