"""OpenAI's Responses dialect, as the demo endpoint speaks it."""
