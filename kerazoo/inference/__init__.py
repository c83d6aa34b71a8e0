"""Use of trained models: text generation."""
