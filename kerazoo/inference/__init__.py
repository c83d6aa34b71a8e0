"""Use of trained models: the answers of classifiers, and writing text."""
