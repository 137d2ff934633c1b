"""Training: the instance colouring loss, drawn scenes, mini's stages, fine-tuning."""
