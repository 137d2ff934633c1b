"""Make a model better at one's own images, from a few labels.

config              the settings, as JSON (no torch)
setting             how one of them is checked, asked and remembered (no torch)
events              what a run tells (no torch)
run_folder          every file of a run by name (no torch)
old_words           what earlier versions wrote, in today's words
planning            from settings to a model ready for its first step
memory_estimate     what it takes, and what fits
loop                the training loop; start here
learner             one step
schedule            step sizes, and when it is enough
sources             data sets larger than memory
replay              crops kept for later runs
trainable           a model that can be trained
lora                low-rank additions
validation          the score while it trains
inference_settings  input size and brightness, calibrated
checkpoint          all that is needed to go on
export              the best weights as a model folder
"""
