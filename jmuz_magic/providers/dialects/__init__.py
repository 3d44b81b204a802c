"""The dialects that services speak: how a request becomes a body, and how a reply is read."""
