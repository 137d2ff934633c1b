"""Make a model better at one's own pictures, from a few labels.

`config` and `events` say what goes in and what comes out (no torch); `pairs` and
`split` read and divide the labelled pictures; `loop` trains.
"""
