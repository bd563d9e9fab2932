import keras
import numpy as np

found = {}
for form, axis in (("channels_first", 1), ("channels_last", 3)):
    picture = np.expand_dims(np.arange(8, dtype="float32"), [n for n in range(4) if n != axis])
    made = keras.ops.convert_to_numpy(keras.ops.depth_to_space(picture, 2, data_format=form))
    found[form] = np.moveaxis(made, axis, 1).astype(int).ravel().tolist()
print(", ".join(f"{form} {order}" for form, order in found.items()))
