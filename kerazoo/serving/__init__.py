"""A trained model over HTTP: JSON in, JSON out, what arrives together answered together."""
