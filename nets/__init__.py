"""Keras models and layers. They know arrays and no files, and run on TensorFlow, JAX and torch.

The folders towers/, heads/ and losses/ each hold a table of rows in their `__init__.py`. A row names
the class or function by "file.name"; the file is imported when the row is used. So the tables can be
read, for the choices of a flag, without waiting for Keras.
"""

from importlib import import_module
from typing import Any


def named(package: str, name: str) -> Any:
    """The class or function that a row of the table in `package` names, such as "pairs.Contrastive"."""
    file, attribute = name.split(".")
    return getattr(import_module(f"{package}.{file}"), attribute)
