"""Keras, as tests import it: where PLAIN_GRAPHS is set, TensorFlow runs graphs as they are written.

To optimise a graph takes longer than to run it a few times. CI sets it; the results are the same to rounding.
"""

import os

import keras

if os.environ.get("PLAIN_GRAPHS") and keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
