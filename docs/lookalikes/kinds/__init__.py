"""The kinds of pictures, by what shows them: each function takes (rng, number) and returns a scene."""
