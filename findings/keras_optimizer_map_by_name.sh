#!/usr/bin/env bash
# keras.optimizers.OptimizerMap with "encoder/.*" matches a Sequential encoder, and in silence nothing of a functional
# one.
#
# keras 3.15.1 on JAX 0.10.2. The pattern is that of the example in the documentation. The path of a variable holds the
# name of the Sequential model that it is in, and not that of a functional model; so all of a functional encoder falls
# to the default optimizer. The guess is that the name of a part of a model stands in the paths of its variables. Here
# the default optimizer stands still (learning rate 0), so what the pattern misses does not move:
#   Sequential: first path encoder/dense_of_encoder/kernel, encoder moved: True
#   functional: first path dense_of_encoder/kernel, encoder moved: False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet keras==3.15.1 jax==0.10.2 numpy==2.4.6
cd "$work"
KERAS_BACKEND=jax env/bin/python - <<'EOF'
import keras
import numpy as np
from keras.optimizers import SGD, MultiOptimizer, OptimizerMap


def part(name, units, functional):
    inputs, dense = keras.Input((4,)), keras.layers.Dense(units, name=f"dense_of_{name}")
    return keras.Model(inputs, dense(inputs), name=name) if functional else keras.Sequential([inputs, dense], name=name)


moved = {}
for kind in ("Sequential", "functional"):
    keras.utils.set_random_seed(0)
    encoder, rest = part("encoder", 4, kind == "functional"), part("rest", 1, kind == "functional")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, rest(encoder(inputs)))
    model.compile(MultiOptimizer(OptimizerMap(SGD(0.0), {"encoder/.*": SGD(0.1)})), "mse")
    before = encoder.get_weights()[0].copy()
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
    moved[kind] = not np.array_equal(before, encoder.get_weights()[0])
    print(f"{kind}: first path {model.trainable_variables[0].path}, encoder moved: {moved[kind]}")
if moved != {"Sequential": True, "functional": False}:
    raise SystemExit("changed: which variables the pattern matches")
EOF
