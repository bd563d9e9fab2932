"""A detector, as programs of one's own use it."""


def learnt(known: dict) -> str:
    """What a model knows that learnt to find objects, by its about.json, in a line."""
    what = (f"{known['images']} drawn scenes" if known.get("drawn") else f"{known['images']} {known['shows']} with boxes")
    text = f"learnt from {what} to find {known['classes']} classes"
    if known.get("ap50") is not None:
        text += f"; AP50 {known['ap50']:.3f} on {known['measured_on']['pictures']} others"
    return text
