"""The model selector and the chat panel."""
