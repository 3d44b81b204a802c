"""How a request travels: connections, proxies, timers, retries, and what goes wrong on the way."""
