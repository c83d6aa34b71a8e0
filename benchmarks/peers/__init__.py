"""The contenders: kerazoo's engine, plain Keras and PyTorch, with the same weights, data and mathematics."""
