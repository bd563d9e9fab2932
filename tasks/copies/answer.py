"""Is this a copy of that photo: asked and answered as any other similarity."""

from tasks.similarity.answer import answer

__all__ = ["answer"]
