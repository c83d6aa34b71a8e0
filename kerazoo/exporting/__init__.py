"""Models in the formats of other runtimes, one file a format, each compared with Keras after it is written."""
