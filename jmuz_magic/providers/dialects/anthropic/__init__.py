"""The dialect of Anthropic's Messages API: `body.py` makes what is sent, `reader.py` reads what comes."""
