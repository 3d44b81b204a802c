"""The chat completions dialect: bodies, events, replies, lists of models."""
