"""Decoders without I/O, and the bridge between async and sync."""
