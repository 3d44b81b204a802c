"""What is asked, how it is recognised again, and what of it may be written to a file."""
