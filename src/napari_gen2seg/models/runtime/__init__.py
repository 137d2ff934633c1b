"""Where and how a model runs: device, memory, placement, size."""
