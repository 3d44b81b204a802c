"""How a request travels: connections, proxies, waiting and trying again, and what goes wrong on the way."""
