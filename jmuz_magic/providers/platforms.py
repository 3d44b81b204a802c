"""Services that a platform brings along: their addresses and keys stand in variables that the platform sets.

None of these classes was tried against its service: they rest on the documentation and source that each names, and on
tests against stand-ins that were built from the same.
"""

from __future__ import annotations

import importlib
import re
import sys
from urllib.parse import urlsplit, urlunsplit

from jmuz_magic.errors import JmuzError, MissingAuthError
from jmuz_magic.providers.base import may_search
from jmuz_magic.providers.endpoint import azure
from jmuz_magic.providers.endpoint.address import normalise_api_base, origin_of
from jmuz_magic.providers.endpoint.endpoint import first_variable
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret

__all__ = ["Azure", "Bedrock", "Colab", "Databricks", "HuggingFace", "Kaggle"]

PROXY_KEY = "MODEL_PROXY_API_KEY"

V1 = ("v1", "preview", "latest")
"""What `OPENAI_API_VERSION` may say for the v1 form (api-version-lifecycle, 2026-11)."""

_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]+)+-\d+")  # it becomes a part of the host


class _Platform(OpenaiTemplate):
    """A service whose address is known only by a variable: that address is its own."""

    needs_auth = True

    @classmethod
    def own_origin(cls) -> str | None:
        """The origin of the address in the environment."""
        address = cls.environment_api_base()
        return origin_of(normalise_api_base(address)) if address else None


class _ModelProxy(_Platform):
    """The proxy that Colab and Kaggle share: it chats at `…/models/openapi` and lists at `…/models`."""

    api_key_env = (PROXY_KEY,)
    # Stable names of Google's small model, as the proxy has them (github.com/googlecolab/colabtools,
    # google/colab/ai.py at 3c07d77, 2026-04-07).
    model_families = ("google/gemini-{version}-flash",)

    @classmethod
    def list_url(cls, api_base: str) -> str:
        """The list stands one level above the chat."""
        return api_base.removesuffix("/openapi")


class Colab(_ModelProxy):
    """The models that Google Colab offers its notebooks: no account, and no key of your own.

    By the source of `google.colab.ai` (googlecolab/colabtools at 3c07d77, 2026-04-07): address in
    `MODEL_PROXY_HOST`, key in `MODEL_PROXY_API_KEY`, else in `google.colab.userdata`. Not tried live.
    """

    label = "Google Colab"
    url = "https://github.com/googlecolab/colabtools/blob/main/google/colab/ai.py"
    api_base_env = ("MODEL_PROXY_HOST",)
    address_hint = "expected MODEL_PROXY_HOST, which Colab sets in its notebooks"

    @classmethod
    def environment_api_base(cls) -> str | None:
        """Where Colab's model proxy chats."""
        host = super().environment_api_base()
        return host and f"{_with_scheme(host)}/models/openapi"

    @classmethod
    def environment_key(cls) -> tuple[str, Secret] | None:
        """The key in the environment, else the one that Colab hands out to its notebooks.

        Raises:
            MissingAuthError: Colab did not hand it out.
        """
        return super().environment_key() or _colab_key()


class Kaggle(_ModelProxy):
    """The models that Kaggle offers through its model proxy.

    By the source of `kaggle-benchmarks` (Kaggle/kaggle-benchmarks, kaggle/model_proxy.py, 2026-11): address in
    `MODEL_PROXY_URL`, with or without `/openapi`; key, which is short-lived, in `MODEL_PROXY_API_KEY`.
    Not tried live.
    """

    url = "https://github.com/Kaggle/kaggle-benchmarks"
    api_base_env = ("MODEL_PROXY_URL",)
    address_hint = "expected MODEL_PROXY_URL, which Kaggle's benchmark notebooks and `kaggle benchmarks auth` set"

    @classmethod
    def environment_api_base(cls) -> str | None:
        """Where Kaggle's model proxy chats."""
        address = super().environment_api_base()
        return address and f"{_with_scheme(address).removesuffix('/openapi')}/openapi"


class Databricks(_Platform):
    """The serving endpoints of a Databricks workspace; their names are the models.

    By the documentation (docs.databricks.com: dev-tools/auth/env-vars, machine-learning/model-serving/
    score-foundation-models, api/workspace/servingendpoints/list; 2026-11): address in `DATABRICKS_HOST`, with or
    without a scheme, key in `DATABRICKS_TOKEN`. Not tried live.
    """

    url = "https://docs.databricks.com/en/machine-learning/model-serving/score-foundation-models.html"
    api_base_env = ("DATABRICKS_HOST",)
    api_key_env = ("DATABRICKS_TOKEN",)
    address_hint = "expected the workspace's address in DATABRICKS_HOST, such as https://NAME.cloud.databricks.com"

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The workspace's serving endpoints; a path or `?o=…` copied with the address is dropped, as the SDK does."""
        host = super().environment_api_base()
        if not host:
            return None
        parts = urlsplit(_with_scheme(host))
        return urlunsplit((parts.scheme, parts.netloc, "/serving-endpoints", "", ""))

    @classmethod
    def list_url(cls, api_base: str) -> str:
        """The list belongs to the workspace's REST API."""
        return f"{origin_of(api_base)}/api/2.0/serving-endpoints"


class HuggingFace(OpenaiTemplate):
    """Hugging Face's router to its inference providers.

    By the documentation (huggingface.co/docs/inference-providers, 2026-11): key in `HF_TOKEN`. Not tried live.
    """

    label = "Hugging Face"
    url = "https://huggingface.co/docs/inference-providers"
    api_base = "https://router.huggingface.co/v1"
    api_key_env = ("HF_TOKEN",)
    needs_auth = True


class Bedrock(_Platform):
    """Amazon Bedrock's runtime, through its OpenAI-compatible layer.

    By the documentation of AWS (docs.aws.amazon.com/bedrock: userguide/inference-chat-completions) and of OpenAI's
    SDK (openai/openai-python, bedrock.md at e43b422, 2026-08-21): region in `AWS_REGION` or `AWS_DEFAULT_REGION`, or
    a whole address in `AWS_BEDROCK_BASE_URL`; key in `AWS_BEARER_TOKEN_BEDROCK`. Requests signed with an AWS access
    key are not supported. Not tried live.
    """

    label = "Amazon Bedrock"
    url = "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html"
    api_base_env = ("AWS_BEDROCK_BASE_URL",)
    api_key_env = ("AWS_BEARER_TOKEN_BEDROCK",)
    address_hint = "expected a region such as us-east-1 in AWS_REGION or AWS_DEFAULT_REGION"
    may_pick = False  # no list is documented for this host
    reasoning_tags = ("reasoning",)  # gpt-oss there writes its reasoning so (recorded traffic, 2026-11-28)

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address in the environment, else the one of the region.

        Raises:
            JmuzError: the variable's value is no region.
        """
        if address := super().environment_api_base():
            return address
        found = first_variable(("AWS_REGION", "AWS_DEFAULT_REGION"))
        if not found:
            return None
        name, region = found
        if not _REGION.fullmatch(region):
            raise JmuzError(f"expected a region such as us-east-1 in {name}, got {region[:40]!a}")
        return f"https://bedrock-runtime.{region}.amazonaws.com/openai/v1"


class Azure(_Platform):
    """Azure OpenAI; the model is the name of a deployment.

    By the documentation (learn.microsoft.com/azure/foundry/openai: api-version-lifecycle, reference; 2026-11) and
    OpenAI's SDK (openai/openai-python, lib/azure.py at e43b422, 2026-08-21): address of the resource in
    `AZURE_OPENAI_ENDPOINT`, key in `AZURE_OPENAI_API_KEY`, a token of Entra in `AZURE_OPENAI_AD_TOKEN`. If
    `OPENAI_API_VERSION` holds a version, the classic form of the API is asked, else v1. Not tried live.
    """

    label = "Azure OpenAI"
    url = "https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle"
    api_base_env = ("AZURE_OPENAI_ENDPOINT",)
    api_key_env = ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN")
    address_hint = "expected the resource's address in AZURE_OPENAI_ENDPOINT, such as https://NAME.openai.azure.com"
    own_dialect = "responses"  # in its v1 form
    may_pick = False  # it lists the models that can be deployed, not the deployments
    # Its reasoning models refuse max_tokens, as OpenAI's do (learn.microsoft.com/azure/foundry/openai/how-to/reasoning,
    # 2026-11).
    max_tokens_field = "max_completion_tokens"

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The resource's v1 address, or the classic one; a whole address of either form is taken as it is."""
        endpoint = super().environment_api_base()
        if not endpoint:
            return None
        address = _with_scheme(endpoint)
        if "?" in address or address.endswith("/openai/v1"):
            return address
        found = first_variable(("OPENAI_API_VERSION",))
        if not found or found[1] in V1:
            return f"{address.removesuffix('/openai')}/openai/v1"
        path = "" if "/deployments/" in address or address.endswith("/openai") else "/openai"
        return f"{address}{path}?api-version={found[1]}"

    @classmethod
    def environment_key(cls) -> tuple[str, Secret] | None:
        """The token in the environment, which comes first as in OpenAI's SDK, else the key."""
        found = first_variable(tuple(reversed(cls.api_key_env)))
        return (f"env {found[0]}", Secret(found[1])) if found else None

    @classmethod
    def auth_headers(cls, key: Secret) -> dict[str, str | Secret]:
        """A key in `api-key`, a token of Entra as a bearer's."""
        return azure.auth_headers(key)


def _with_scheme(address: str) -> str:
    """The address without a final slash, and with https:// if it has no scheme."""
    return (address if "://" in address else f"https://{address}").rstrip("/")


_handed_out: Secret | None = None
"""The key that Colab gave this process, as `google.colab.ai` keeps it; asking again would ask the browser again."""


def _colab_key() -> tuple[str, Secret] | None:
    """The key that Colab hands out; None outside of Colab.

    Raises:
        MissingAuthError: Colab did not hand it out.
    """
    global _handed_out
    if _handed_out is None and "google.colab" in sys.modules and may_search.get():
        _handed_out = _ask_colab()
    return ("google.colab.userdata", _handed_out) if _handed_out else None


def _ask_colab() -> Secret:
    problem = ""
    try:
        return Secret(importlib.import_module("google.colab.userdata").get(PROXY_KEY))
    except Exception as error:  # noqa: BLE001  # the errors are Colab's own, and may change
        problem = type(error).__name__
    raise MissingAuthError(
        f"Colab did not hand out the key of its models ({problem}); run the cell in Colab's page, or set {PROXY_KEY}"
    )
