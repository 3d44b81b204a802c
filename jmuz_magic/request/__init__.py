"""What is asked, how it is recognised again, and what of an exchange may be written down."""
