"""The magics, one file each, by its name."""
