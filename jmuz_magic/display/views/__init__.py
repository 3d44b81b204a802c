"""Views: what shows a reply while it grows."""
