#!/usr/bin/env bash
# Where a value is NaN, calling a Keras model of a convolution and ReLU gives NaN, and predict of the same model gives 0.
#
# keras 3.15.1 on tensorflow 2.21.0, on a processor, with oneDNN, which TensorFlow has turned on by itself on newer x86
# processors. A compiled graph, as predict and tf.function make it, fuses the convolution, its bias and ReLU into one
# operation, whose ReLU is max(x, 0) and takes 0 for NaN; without oneDNN it is NaN. The guess is that a check of the
# output for NaN finds a network whose training diverged: the whole output may be 0, and embeddings then all be equal.
# NaN of 288 values, where one pixel of two pictures is NaN:
#   called: 4, predict: 0, tf.function: 0
#   with TF_ENABLE_ONEDNN_OPTS=0: called: 4, predict: 4, tf.function: 4
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 numpy==2.4.6
cd "$work"
cat > unseen.py <<'EOF'
import keras
import numpy as np
import tensorflow as tf

photo = keras.Input((8, 8, 3))
model = keras.Model(photo, keras.layers.ReLU()(keras.layers.Conv2D(4, 3)(photo)))
photos = np.ones((2, 8, 8, 3), "float32")
photos[0, 0, 0, 0] = np.nan
answers = {"called": model(photos).numpy(), "predict": model.predict(photos, verbose=0),
           "tf.function": tf.function(model)(photos).numpy()}
print(", ".join(f"{way}: {np.isnan(answer).sum()}" for way, answer in answers.items()))
EOF
fused=$(TF_ENABLE_ONEDNN_OPTS=1 env/bin/python unseen.py 2> /dev/null)
plain=$(TF_ENABLE_ONEDNN_OPTS=0 env/bin/python unseen.py 2> /dev/null)
echo "$fused"
echo "with TF_ENABLE_ONEDNN_OPTS=0: $plain"
if [ "$fused" != "called: 4, predict: 0, tf.function: 0" ] || [ "$plain" != "called: 4, predict: 4, tf.function: 4" ]; then
  echo "changed: where compiled graphs of TensorFlow keep NaN" >&2
  exit 1
fi
