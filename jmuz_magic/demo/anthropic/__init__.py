"""Anthropic's Messages dialect, as the demo endpoint speaks it."""
