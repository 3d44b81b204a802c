"""An OpenAI-compatible endpoint with prepared replies and no language model, for trials, tests and examples.

Imports nothing but the standard library and aiohttp.
"""

from jmuz_magic.demo.server import DELTAS_PER_SECOND, DemoServer, LoggedRequest

__all__ = ["DELTAS_PER_SECOND", "DemoServer", "LoggedRequest"]
