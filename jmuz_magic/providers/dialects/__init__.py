"""The dialects of services: how a request becomes a body, and how a reply is read."""
