"""A turn of talk: prompt, reply, history, selection, exchange log and recordings."""
