"""An endpoint with prepared replies and no language model, for trials, tests and examples.

It speaks OpenAI's chat completions and Responses, and Anthropic's Messages.

Imports nothing but the standard library and aiohttp.
"""

from jmuz_magic.demo.server import DELTAS_PER_SECOND, DemoServer, LoggedRequest

__all__ = ["DELTAS_PER_SECOND", "DemoServer", "LoggedRequest"]
