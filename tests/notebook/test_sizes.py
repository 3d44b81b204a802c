"""Type and size of a value, without reading its content."""

from __future__ import annotations

from collections import OrderedDict, UserList
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from jmuz_magic.notebook.sizes import type_and_size


class Loud(list[int]):
    """A subclass whose own length would be its user's code."""

    def __len__(self) -> int:
        raise AssertionError


class Lazy:
    """Every read of it counts."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", "str, 3 characters"),
        ("a", "str, 1 character"),
        (b"", "bytes, 0 bytes"),
        ([0] * 1234, "list, 1,234 elements"),
        ((1,), "tuple, 1 element"),
        ({"a": 1}, "dict, 1 entry"),
        (OrderedDict(a=1, b=2), "OrderedDict, 2 entries"),
        (3, "int"),
        (None, "NoneType"),
        (UserList([1]), "UserList"),
        (Loud([1, 2]), "Loud, 2 elements"),
        (pd.DataFrame({"a": range(1200), "b": 1}), "DataFrame, 1,200 rows × 2 columns"),
        (pd.Series([1, 2]), "Series, 2 values"),
        (np.zeros((3, 4)), "ndarray, shape (3, 4)"),
        (Image.new("RGB", (4, 3)), "Image, 4 × 3 pixels"),
    ],
)
def test_type_and_size(value: object, expected: str) -> None:
    assert type_and_size(value) == expected


def test_nothing_is_asked_of_the_value_itself() -> None:
    assert type_and_size(Lazy()) == "Lazy"
