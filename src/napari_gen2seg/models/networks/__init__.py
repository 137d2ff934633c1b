"""Torch modules and tensor helpers; nothing of files.

one_step           latent diffusion in one step
position_guides    sine waves that tell the network where it is
shifted_guides     the same as trained, shifted for each crop
guided_upsampling  edges of the image onto a blurred map
pretrained         one diffusers or transformers module, every tensor accounted for
tensors            resize, pad, stretch
"""
