"""The fine-tuning dialog, a page each.

dialog         the window and its pages; start here
dock_side      what the dock knows of it: the button, the model in use
plugins_entry  *Plugins > gen2seg > Fine-tune*, which opens the dialog
settings_page  page 2: the settings
texts          progress of a training as text
data/          page 1: which labeled images
run/           page 3: the training as it runs
result/        page 4: before and after, adopt, share
"""
