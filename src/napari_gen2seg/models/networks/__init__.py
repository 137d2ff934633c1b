"""Torch modules and tensor helpers; nothing of files.

one_step           latent diffusion in one step
position_guides    sine waves that tell the network where it is
shifted_guides     the same as trained, shifted for each crop
guided_upsampling  edges of the image onto a blurred map
efficientnet_lite  encoder of the family offsets
offset_net         object or not, and where its center is
offset_loss        what these answers are asked for
offset_painting    the map of these answers
offset_instances   the instances of them
offset_looks       answers at several sizes, joined object by object
probe_net          the learned probe's network
pretrained         one diffusers or transformers module, every tensor accounted for
tensors            resize, pad, stretch
"""
