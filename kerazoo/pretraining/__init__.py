"""How the weights in `kerazoo/weights` came to be, and making them anew."""
