"""Adverts that an endpoint mixes into its replies, taken out of the stream."""
