#!/usr/bin/env bash
# keras.ops.image.gaussian_blur blurs along rows and channels, and not along columns, where data_format is left out on
# JAX.
#
# keras 3.15.1 on JAX 0.10.2, with image_data_format() "channels_last". Without data_format the JAX backend takes (H, W,
# C) for (C, H, W). The shape of the result is right, and colours leak into each other. The NumPy backend does as its
# documentation says. The guess is that None means image_data_format(), as it does in all layers of Keras. One red point
# in the middle of 9 x 9 black ones leaves these traces:
#   jax, no data_format: rows [4], columns [3, 4, 5], channels [0, 1]
#   jax, data_format="channels_last": rows [3, 4, 5], columns [3, 4, 5], channels [0]
#   numpy, no data_format: rows [3, 4, 5], columns [3, 4, 5], channels [0]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet keras==3.15.1 jax==0.10.2 numpy==2.4.6
cd "$work"
cat > traces.py <<'EOF'
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
EOF
plain=$(KERAS_BACKEND=jax env/bin/python traces.py)
told=$(KERAS_BACKEND=jax env/bin/python traces.py channels_last)
on_numpy=$(KERAS_BACKEND=numpy env/bin/python traces.py)
echo "jax, no data_format: $plain"
echo "jax, data_format=\"channels_last\": $told"
echo "numpy, no data_format: $on_numpy"
right="rows [3, 4, 5], columns [3, 4, 5], channels [0]"
wrong="rows [4], columns [3, 4, 5], channels [0, 1]"
if [ "$plain" != "$wrong" ] || [ "$told" != "$right" ] || [ "$on_numpy" != "$right" ]; then
  echo "changed: gaussian_blur without data_format" >&2
  exit 1
fi
