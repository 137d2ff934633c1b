"""Page 3 of fine-tuning: before and after."""
