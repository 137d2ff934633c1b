"""Labels of other programs in, data sets for them out.

importing  label files of any known format -> a project's labels
exporting  a project -> a data set in another program's layout
layouts    what each layout looks like, and what it loses
split      train, validation and test, groups kept together
readme     what is in a data set, and where it comes from
"""
