"""The training process: plan, run, past runs.

run           a training under way: its events, stop, cancel
child         its process: start, stop, why it died
plan          what it would do and need
written_data  labelled images, written down for it
past_runs     run folders: listed, resumed, thrown away
cleanup       what interrupted runs left
"""
