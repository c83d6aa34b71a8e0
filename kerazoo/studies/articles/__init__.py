"""Five Chinese articles on large models: what they print of small neural networks, measured."""
