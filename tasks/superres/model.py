"""A model of super-resolution, as programs of one's own use it: a photo -> the same photo, larger."""

def learnt(known: dict) -> str:
    return ""
