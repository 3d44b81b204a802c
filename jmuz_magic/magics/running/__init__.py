"""Running a turn: in its cell, in the background, or not at all."""
