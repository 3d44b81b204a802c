"""Azure's classic form of an address: the deployment in the path, the version of the API in the query.

`https://RESOURCE.openai.azure.com/openai/deployments/NAME?api-version=2024-10-21`, as gateways in front of Azure have
it too (learn.microsoft.com/azure/foundry/openai/reference, 2026-11-28). `normalise_api_base` keeps that query and no
other.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from jmuz_magic.providers.endpoint.address import is_azure
from jmuz_magic.secret import Secret

__all__ = ["auth_headers", "deployed", "deployment_of", "is_classic", "is_v1", "joined", "list_url"]

_DEPLOYMENT = re.compile(r"/deployments/([^/?]+)")


def is_classic(api_base: str) -> bool:
    """Whether the address has this form, in which only chat completions are asked for."""
    base, version, _ = api_base.partition("?")
    return bool(version) and not base.endswith("/openai/v1")


def is_v1(api_base: str) -> bool:
    """Whether the address is Azure's in its newer form, which speaks what OpenAI speaks."""
    return is_azure(api_base) and api_base.partition("?")[0].endswith("/openai/v1")


def deployment_of(api_base: str) -> str:
    """The deployment that a classic address names, which is its model; "" without one."""
    found = _DEPLOYMENT.search(api_base) if is_classic(api_base) else None
    return unquote(found[1]) if found else ""


def deployed(api_base: str, model: str) -> str:
    """The address where this deployment is asked: in the classic form the one in the path, in any other the same."""
    base, version, query = api_base.partition("?")
    if not model or not is_classic(api_base) or not ("/deployments/" in base or base.endswith("/openai")):
        return api_base
    return f"{base.partition('/deployments/')[0]}/deployments/{quote(model, safe='')}{version}{query}"


def joined(api_base: str, path: str) -> str:
    """The URL of a path below an address, whose query stays at the end."""
    base, version, query = api_base.partition("?")
    return f"{base}/{path}{version}{query}"


def list_url(api_base: str) -> str:
    """Where models are listed; in the classic form beside the deployments, not below one."""
    base, version, query = api_base.partition("?")
    return f"{base.partition('/deployments/')[0] if version else base}/models{version}{query}"


def auth_headers(key: Secret) -> dict[str, str | Secret]:
    """The header in which Azure wants a key: `api-key`; a token of Entra, which is a JWT, goes as a bearer's."""
    if key.reveal().startswith("eyJ"):
        return {"Authorization": Secret(f"Bearer {key.reveal()}")}
    return {"api-key": key}
