"""Page 3 of fine-tuning: the training as it runs.

controller       between the pages and a run
page             the page
plan_preview     what a training would do, before Start
live_plot        the curves
preview_layer    the map as it gets better
unfinished_runs  earlier runs that wait
"""
