"""`%%jmuz` and its sisters: what they accept, what they do, and how they come and go."""
