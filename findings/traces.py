import sys

import keras
import numpy as np

assert keras.config.image_data_format() == "channels_last"
point = np.zeros((1, 9, 9, 3), "float32")
point[0, 4, 4, 0] = 1
blurred = keras.ops.image.gaussian_blur(point, (3, 3), (1.0, 1.0), data_format=sys.argv[1] if sys.argv[1:] else None)
found = np.nonzero(keras.ops.convert_to_numpy(blurred)[0] > 1e-6)
rows, columns, channels = (sorted({int(place) for place in axis}) for axis in found)
print(f"rows {rows}, columns {columns}, channels {channels}")
