"""What a person needs to know of an exported model of copies: the same as of similarity."""

from tasks.similarity.apps.card import card

__all__ = ["card"]
