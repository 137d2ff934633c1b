"""How good is it: arrays only; for training, evaluation, comparison and benchmarks.

click_protocol  simulated clicks: which objects, where, corrections; one-click IoU
matching        IoU, matching of instances, average precision
boundaries      boundary precision and recall (BSDS)
bootstrap       intervals, and the verdict between two models
"""
