"""How good is it: arrays only; used by training, evaluation, comparison, benchmarks."""
