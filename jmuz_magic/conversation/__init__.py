"""Conversations: turns, the history sent with a prompt, the selection, exports."""
