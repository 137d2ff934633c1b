"""What every training loop needs.

ema            moving average of the weights
learning_rate  warm-up and cosine
distributed    one process or several of ``accelerate launch``
stop_signal    stop at a signal, between two steps
"""
