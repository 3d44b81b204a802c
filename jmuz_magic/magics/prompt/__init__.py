"""Builds the prompt from what the user wrote and what the notebook contains."""
