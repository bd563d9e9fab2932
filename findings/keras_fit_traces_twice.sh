#!/usr/bin/env bash
# Keras on TensorFlow calls every layer twice in Python, and builds the graph of the training step twice, before the
# first batch of fit, unless the optimizer was built by hand.
#
# keras 3.15.1 on tensorflow 2.21.0. compile leaves the variables of the optimizer to the first step. tf.function finds
# that the step made variables, so it traces the step a second time. The guess is that a step is traced once, as
# compile knows model and optimizer. Half of the seconds before the first batch go there: some 20 of 40 for a network
# of 130 weights on two busy cores. Calls of one layer while training is traced, by the number of Python calls:
#   as compile leaves it: 2
#   after optimizer.build(model.trainable_variables): 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 numpy==2.4.6
cd "$work"
cat > traces.py <<'EOF'
import sys

import keras
import numpy as np


class Counted(keras.layers.Layer):
    calls = 0

    def call(self, inputs):
        Counted.calls += 1
        return inputs


inputs = keras.Input((3,))
model = keras.Model(inputs, Counted()(keras.layers.Dense(2)(inputs)))
model.compile("adam", "mse")
if sys.argv[1:] == ["build"]:
    model.optimizer.build(model.trainable_variables)
Counted.calls = 0
model.fit(np.ones((8, 3)), np.zeros((8, 2)), batch_size=4, epochs=2, verbose=0)
print(Counted.calls)
EOF
left=$(env/bin/python traces.py 2> /dev/null)
built=$(env/bin/python traces.py build 2> /dev/null)
echo "as compile leaves it: $left"
echo "after optimizer.build(model.trainable_variables): $built"
if [ "$left" != 2 ] || [ "$built" != 1 ]; then
  echo "changed: how often Keras traces the training step" >&2
  exit 1
fi
