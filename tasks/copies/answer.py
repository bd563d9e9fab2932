"""Is this a copy of that photo: answered as any other similarity. What differs between pictures: without a model."""

from importlib import import_module


def answer(options, files: list[str]) -> None:
    """Hands the files to `tasks.copies.difference` or `tasks.similarity.answer`; only the latter imports Keras."""
    import_module("tasks.copies.difference" if options.difference else "tasks.similarity.answer").answer(options, files)
