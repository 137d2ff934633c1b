"""Who does the work: this process, or workers of a cluster.

runner   the work as calls and trees of calls; in this process
cluster  the same on dask.distributed
model    the model of a process, loaded once
"""
