"""Removes the adverts that an endpoint mixes into its replies from the stream."""
