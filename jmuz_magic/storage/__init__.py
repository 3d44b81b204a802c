"""Files and databases opened with care: locked, replaced whole, on any file system."""
