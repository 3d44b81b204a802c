"""Views: each shows a reply while it grows."""
