"""What the notebook contains, as text for a model: its variables, and its cells with their outputs."""
