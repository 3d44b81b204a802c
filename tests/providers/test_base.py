"""What a class gets by being a provider."""

from __future__ import annotations

import pytest

from jmuz_magic.providers.base import AsyncGeneratorProvider, ProviderModelMixin


class Plain(AsyncGeneratorProvider, ProviderModelMixin):
    pass


class Named(Plain):
    name = "other"
    label = "Other Service"
    models = ["a", "b"]  # noqa: RUF012  # as users write it


def test_a_provider_is_called_as_its_class_unless_it_says_otherwise() -> None:
    assert (Plain.name, Plain.label) == ("plain", "Plain")
    assert (Named.name, Named.label) == ("other", "Other Service")


def test_the_models_that_a_class_names_are_its_own() -> None:
    assert Named.get_models() == ["a", "b"]
    assert Plain.get_models() == []
    Named.get_models().append("c")
    assert Named.get_models() == ["a", "b"]


def test_a_provider_that_cannot_ask_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Plain does not implement create_async_generator"):
        Plain.create_async_generator("m", [])
