"""Losses; the published instance coloring loss is re-exported here.

instance_coloring  the loss of the paper
weighted           what fine-tuning asks for, parts unknown
neighbors          neighbors must differ, far objects may share
harmonic           colors from where an object lies
edges              sharp outside, flat inside
segment_sums       sums over instances without a loop
"""
