"""The fine-tuning dialog: pictures, settings, training, result; a page each."""
