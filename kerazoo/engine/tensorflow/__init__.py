"""The engine on TensorFlow. Importing this package imports TensorFlow only with its modules."""
