"""Saving: every act goes to a journal before it is shown, and comes back after a crash.

keeper        which Labels layer is kept as which work; the dock talks to it
earlier       earlier work on the image in view: offered, gone on with, set aside
works         which image has which work; opened and closed behind the window
opening       an image's journal, opened on another thread
kept_objects  what is kept of the objects that are worked on: classes, earlier acts
kept_layer    one Labels layer and its journal; never stops an annotation
napari_edits  what napari tells of an edit, as a patch
napari_history
              what napari took back or did again
acts          which act of the journal a change of the labels is
origins       what is known of the object that is being kept
restored      layers, clicks and settings of earlier work
save_row      the mark, Save and Save as; the offer to go on
set_aside     earlier work that was set aside, opened in place of the present
earlier_dialog
              asks which
closing       a window with unsaved work asks before it closes
"""
