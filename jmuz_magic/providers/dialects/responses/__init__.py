"""The Responses dialect: bodies, events, replies."""
