"""The dock of a project: its pictures in a queue, one after the other in the viewer.

widget      the dock; start here
queue_list  the list: thumbnails, states, filter and order
entries     what the list tells of a picture, and its thumbnail; on any thread
known_entries
            those of the open project, read behind the window
buttons     everything that is pressed
click_dock  the dock for clicks beside it: found, opened, heard of
desk        brings a picture into the viewer, and takes the one before away
open_picture
            what happens to the picture that is open, noted and told
pictures    a picture of a project as a layer; where one looked at it
ahead       the next pictures are colored while nobody waits
jobs        making, proposing, import and export, behind the window
exchange    labels of other programs taken in, data sets written
new_dialog  asks for pictures, folders and files
progress    who made the objects, as a table
recent      projects that were opened before
"""
