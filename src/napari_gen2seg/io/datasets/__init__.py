"""Folders and published data sets, found and read as annotated images.

catalog       what a path holds (`KINDS`), and its images one by one; start here
published     the sets that the paper is evaluated on, in their published layouts
pairs         images and labels of two folders, put together by name
split_file    split.json, checked
hypersim      Hypersim, as the paper trains on it
virtual_kitti Virtual KITTI 2, likewise
"""
