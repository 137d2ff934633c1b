"""Page 2 of fine-tuning: the training as it runs."""
