"""Page 4 of fine-tuning: before and after, and what becomes of the model.

page               the page
verdict            better or not, in words
measure_names      what is compared, in words
comparison         before, after, ground truth, as a run wrote them
comparison_layers  the same as layers
decisions          used, thrown away, removed
share_bar          the row that gives a model away
share_forms        what must be known for that
sharing            copies it, packs it, publishes it
"""
