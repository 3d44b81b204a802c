"""Recordings: replies kept beside a notebook, so that it can be re-run with the same results."""
