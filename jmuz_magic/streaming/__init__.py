"""Pure decoders, and the one bridge between async and sync."""
