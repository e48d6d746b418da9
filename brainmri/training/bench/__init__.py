"""The bench: this engine beside the ordinary way of training, in one run on one machine.

It needs torch, torchvision, numpy and safetensors only, so that it runs where the study and its database do not.
"""
