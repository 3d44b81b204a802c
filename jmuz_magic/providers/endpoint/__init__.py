"""An endpoint: its address, its key, and how both are found and checked."""
