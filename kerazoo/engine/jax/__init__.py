"""The engine on JAX. Importing this package imports JAX only with its modules."""
