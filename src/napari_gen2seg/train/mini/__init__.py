"""How the embedded model is made, stage by stage."""
