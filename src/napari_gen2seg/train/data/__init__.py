"""From annotated images (`io.annotated`) to training crops.

labeled_images   pairs of files for fine-tuning, read and checked
label_checks     what might be wrong with labels
split            which are held back for validation
image_folder     folders of images for mini's training, cut by object size
window           where to cut: anywhere, or around an object
crops            the crops of a run, the same at the same step
augment          changes that leave objects what they are
synthetic_crops  crops of synthetic scenes
"""
