"""A line of a magic: its options, their values, their completion."""
