"""Page 1 of fine-tuning: which labelled images."""
