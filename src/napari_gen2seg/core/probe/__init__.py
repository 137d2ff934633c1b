"""From clicks to a mask on a coloring map."""
