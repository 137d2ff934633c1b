"""What every training loop needs: EMA, learning rate, ranks, stop signal."""
