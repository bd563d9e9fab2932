#!/usr/bin/env bash
# keras.ops.depth_to_space with channels_first puts the numbers in another order on TensorFlow than on JAX.
#
# keras 3.15.1 with tensorflow-cpu 2.21.0 and with JAX 0.10.2. With channels_first TensorFlow takes channel (row * block
# + column) * C + c, and JAX takes c * block * block + row * block + column, as the PixelShuffle of torch does. With
# channels_last both take the first order. The guess is that a saved network gives the same picture on every backend: a
# super-resolution network with more than one channel gives mixed colours on the other. Eight channels of one pixel, the
# numbers 0 to 7, become two channels of 2 x 2 pixels:
#   tensorflow: channels_first [0, 2, 4, 6, 1, 3, 5, 7], channels_last [0, 2, 4, 6, 1, 3, 5, 7]
#   jax: channels_first [0, 1, 2, 3, 4, 5, 6, 7], channels_last [0, 2, 4, 6, 1, 3, 5, 7]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet keras==3.15.1 tensorflow-cpu==2.21.0 jax==0.10.2 numpy==2.4.6
cd "$work"
cat > order.py <<'EOF'
import keras
import numpy as np

found = {}
for form, axis in (("channels_first", 1), ("channels_last", 3)):
    picture = np.expand_dims(np.arange(8, dtype="float32"), [n for n in range(4) if n != axis])
    made = keras.ops.convert_to_numpy(keras.ops.depth_to_space(picture, 2, data_format=form))
    found[form] = np.moveaxis(made, axis, 1).astype(int).ravel().tolist()
print(", ".join(f"{form} {order}" for form, order in found.items()))
EOF
on_tensorflow=$(KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 env/bin/python order.py)
on_jax=$(KERAS_BACKEND=jax env/bin/python order.py)
echo "tensorflow: $on_tensorflow"
echo "jax: $on_jax"
last="channels_last [0, 2, 4, 6, 1, 3, 5, 7]"
if [ "$on_tensorflow" != "channels_first [0, 2, 4, 6, 1, 3, 5, 7], $last" ] ||
  [ "$on_jax" != "channels_first [0, 1, 2, 3, 4, 5, 6, 7], $last" ]; then
  echo "changed: the order of depth_to_space" >&2
  exit 1
fi
