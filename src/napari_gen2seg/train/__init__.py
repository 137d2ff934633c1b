"""Training: the instance coloring loss, drawn scenes, mini's stages, fine-tuning."""
