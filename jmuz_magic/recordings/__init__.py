"""Recordings: replies kept beside a notebook, so that it runs again the same."""
