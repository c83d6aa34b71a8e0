"""Training, fine-tuning and evaluating models."""
