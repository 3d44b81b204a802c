"""From what the user wrote and what the notebook holds to the prompt that is sent."""
