"""Models on the Hugging Face Hub: the files of a repository, its card, sending them."""
