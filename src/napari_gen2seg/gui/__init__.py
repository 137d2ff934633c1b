"""The window: thin views over the session, and the bridge to napari's layers.

widget       the dock widget; start here
annotate/    pointer and clicks -> a mask -> a committed object
layers/      napari's layers: the image, the view of it, overlays
panels/      the panels of the dock
saving/      every act kept, earlier work offered
classes/     classes of objects: list, colors
table/       one row an object
finetune/    the fine-tuning dialog
project/     the dock of a project
evaluate/    the dock that evaluates
batch/       the dock for many images
working_dock a dock with threads of its own and the shared model
model_hosts  one model process a viewer, for all docks
qt_threads   worker threads that answer in Qt's
settings     what is remembered
dock_settings
             what is chosen in the dock takes effect, and is remembered
dock_model   the model: which one, at which size, what it is doing
dock_probe   clicks: what answers them, and how tolerant
dock_status  what the status line says, and when that is over
samples      File > Open Sample
writers      File > Save Selected Layers
tour         a guided first use
"""
