"""A magic's line: its options, their values, and completion."""
